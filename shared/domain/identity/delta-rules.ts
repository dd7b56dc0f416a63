import type { Component, DeltaProof } from '../product.ts';
import { fullPackages, type ReleaseHistory } from '../release-history.ts';
import { skippedStep } from '../upgrade-path.ts';
import type { ExaminedFile, IdentityContext } from './examined-file.ts';

const largestShare = 0.8;

/** Whether a file changes one image into another. */
export function isDelta({ identity }: Pick<ExaminedFile, 'identity'>): boolean {
  return identity?.patch !== undefined;
}

/** Compares delta files with the proofs and full packages that were recorded. */
export function checkDeltas(files: readonly ExaminedFile[], context: IdentityContext): void {
  const { history, component } = context;
  for (const { name, identity, sha256, sizeBytes, report } of files) {
    const patch = identity?.patch;
    if (patch === undefined) continue;
    const recorded = history.find((pkg) => pkg.deltaProof?.patchSha256 === sha256);
    if (recorded !== undefined) {
      const pair = `${recorded.sourceVersion} to ${recorded.version}`;
      report('identity.delta-proven', `"${name}" is the delta from ${pair}`, { found: sha256 });
      continue;
    }
    report('identity.delta-unproven', `"${name}" is none of the recorded deltas`);
    checkSize(sizeBytes, patch.targetBytes, report);
    checkEnds(patch, fullPackages(history, component.id), report);
  }
}

/** A patch that is not known can still be told to belong to none of the images. */
function checkEnds(
  { sourceBytes, targetBytes }: { readonly sourceBytes?: number | undefined; targetBytes: number },
  released: ReleaseHistory,
  report: ExaminedFile['report'],
): void {
  const sizes = new Set(released.flatMap(({ files }) => files.map((file) => file.sizeBytes)));
  if (sizes.size === 0) return;
  const ends = [
    ['identity.delta-source', sourceBytes],
    ['identity.delta-target', targetBytes],
  ] as const;
  for (const [rule, size] of ends) {
    if (size === undefined || sizes.has(size)) continue;
    const expected = [...sizes].slice(-5).join(', ');
    report(rule, `no released image has ${size} bytes`, { expected, found: `${size} bytes` });
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
