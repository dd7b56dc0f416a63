import type { Component, DeltaProof } from '../product.ts';
import { fullPackages, type ReleaseHistory } from '../release-history.ts';
import { skippedStep } from '../upgrade-path.ts';
import type { ExaminedFile, IdentityContext } from './examined-file.ts';

/** Formats of files that change one image into another. */
const deltaFormats: ReadonlySet<string> = new Set(['bsdiff40', 'bsdiff43', 'vcdiff', 'hdiff']);
const largestShare = 0.8;

/** Whether files of this format change one image into another. */
export function isDelta(format: string): boolean {
  return deltaFormats.has(format);
}

/** Compares delta files with the proofs and full packages that were recorded. */
export function checkDeltas(files: readonly ExaminedFile[], context: IdentityContext): void {
  const { history, component } = context;
  for (const { name, format, sha256, sizeBytes, report } of files) {
    if (!isDelta(format)) continue;
    const recorded = history.find((pkg) => pkg.deltaProof?.patchSha256 === sha256);
    if (recorded !== undefined) {
      const pair = `${recorded.sourceVersion} to ${recorded.version}`;
      report('identity.delta-proven', `"${name}" is the delta from ${pair}`, { found: sha256 });
      continue;
    }
    report('identity.delta-unproven', `"${name}" is none of the recorded deltas`);
    const [image] = fullPackages(history, component.id).at(-1)?.files ?? [];
    if (image !== undefined) checkSize(sizeBytes, image.sizeBytes, report);
  }
}

/** A delta that was proven: what it is made from and to, and what its devices must run. */
export interface DeltaLineage {
  readonly component: Component;
  readonly sourceVersion: string;
  readonly targetVersion: string;
  readonly proof: DeltaProof;
  readonly history: ReleaseHistory;
}

/** Compares a proven delta with the released full packages on both of its ends. */
export function checkLineage(
  { component, sourceVersion, targetVersion, proof, history }: DeltaLineage,
  report: ExaminedFile['report'],
): void {
  const isReleased = (version: string, sha256: string): boolean =>
    fullPackages(history, component.id).some(
      (pkg) => pkg.version === version && pkg.files.some((file) => file.sha256 === sha256),
    );
  const ends = [
    ['identity.delta-source', sourceVersion, proof.sourceSha256],
    ['identity.delta-target', targetVersion, proof.targetSha256],
  ] as const;
  for (const [rule, version, sha256] of ends) {
    if (isReleased(version, sha256)) continue;
    report(rule, `no full package of ${component.id} ${version} has its bytes`, { found: sha256 });
  }
  checkSize(proof.patchSizeBytes, proof.targetSizeBytes, report);
  const why = skippedStep(component.id, component, sourceVersion, targetVersion);
  if (why !== null) {
    report('identity.step-skipped', why, { found: `${sourceVersion} to ${targetVersion}` });
  }
}

function checkSize(
  patchSizeBytes: number,
  imageSizeBytes: number,
  report: ExaminedFile['report'],
): void {
  const share = patchSizeBytes / imageSizeBytes;
  if (share <= largestShare) return;
  report('identity.delta-large', `it has ${Math.round(share * 100)} % of the size of the image`, {
    expected: `at most ${Math.floor(imageSizeBytes * largestShare)} bytes`,
    found: `${patchSizeBytes} bytes`,
  });
}
