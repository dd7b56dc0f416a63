import type { Finding, InspectReport } from '../../../shared/domain/finding.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';
import type {
  Component,
  DeltaProof,
  PackageFile,
  VersionPackage,
} from '../../../shared/domain/product.ts';
import { worstVerdict } from '../../../shared/domain/verdict.ts';
import { deltaFinding } from '../../../shared/messages/rules/delta-rules.ts';
import { runTask } from '../../worker/run-task.ts';
import {
  blocked,
  componentOf,
  inspectFiles,
  recordPackage,
  storeInspected,
} from '../bundle/bundle-service.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** A vendor's own delta files, and the versions that they lead from and to. */
export interface ForeignDelta {
  readonly releaseId: string;
  readonly componentId: string;
  readonly sourceVersion: string;
  readonly paths: readonly string[];
}

const deltaRole = (): PackageFile['role'] => 'delta';
/** Patches that begin with a magic number of their own: one that does not rebuild its target is wrong. */
const publicFormats: ReadonlySet<string> = new Set([
  'bsdiff40',
  'bsdiff43',
  'vcdiff',
  'hdiff',
  'hpatchlite',
]);
/** What the inspection says of a patch that it did not apply; a proof answers it. */
const answeredByProof: ReadonlySet<string> = new Set([
  'patch.not-applied',
  'identity.delta-unproven',
  'file.opaque',
]);

/** What is known of a vendor's delta once it was tried: its proof, or why there is none. */
interface Trial {
  readonly proof: DeltaProof | null;
  readonly findings: readonly Finding[];
}

/**
 * Records a vendor's own delta (`.pack`, DFOTA `.bin` or `.zip`, `.mini_1` and `.mini_2`) as a delta package. Its format
 * is checked as far as it is public: a patch that can be applied here is proven against the released images of both
 * versions; that another one was not applied is said by a finding.
 * @throws ProblemError `delta-pair` | `bundle-blocked` | `version-immutable`
 */
export async function acceptForeignDelta(
  workspace: Workspace,
  input: ForeignDelta,
  context: WorkContext,
): Promise<VersionPackage> {
  const { sourceVersion, paths } = input;
  const release = workspace.release(input.releaseId);
  const component = componentOf(workspace.product(release.productId), input.componentId);
  if (sourceVersion === release.version)
    throw problem(
      'delta-pair',
      'A delta leads to another version',
      `Source and target are both ${release.version}.`,
      'Give the version that the devices run before the update.',
      'usage',
    );
  const { memory: _memory, ...withoutMemory } = component;
  const inspected = await inspectFiles(
    {
      paths,
      // What a delta holds has neither the version nor the size of an image.
      component: withoutMemory,
      extraFileTypes: workspace.config.fileTypes,
      formats: workspace.config.formats,
    },
    context,
  );
  if (inspected.verdict === 'block') throw blocked(inspected);
  const files = await storeInspected(workspace, paths, inspected, deltaRole, context);
  const ends = {
    component,
    sourceVersion,
    targetVersion: release.version,
    source: imageOf(workspace, release.productId, component.id, sourceVersion),
    target: imageOf(workspace, release.productId, component.id, release.version),
  };
  const trial = await tryToProve(workspace, files, ends, context);
  const report = withTrial(inspected, trial);
  if (report.verdict === 'block') throw blocked(report);
  return recordPackage(
    workspace,
    {
      releaseId: release.id,
      productId: release.productId,
      componentId: component.id,
      componentType: component.type,
      name: `${release.productId} ${component.id} ${sourceVersion} to ${release.version}`,
      packageType: 'delta',
      sourceVersion,
      targetVersion: release.version,
      report,
      ...(workspace.person === null ? {} : { author: workspace.person }),
      deltaProof: trial.proof,
    },
    files,
    context,
  );
}

/** The image of a version, where its full package is a single file; null without. */
function imageOf(
  workspace: Workspace,
  productId: string,
  componentId: string,
  version: string,
): PackageFile | null {
  const full = workspace
    .list('package')
    .find(
      (pkg) =>
        pkg.productId === productId &&
        pkg.componentId === componentId &&
        pkg.targetVersion === version &&
        pkg.packageType === 'full' &&
        pkg.files.length === 1,
    );
  return full?.files[0] ?? null;
}

/** Both ends of a delta, with their images as far as they are released. */
interface Ends {
  readonly component: Component;
  readonly sourceVersion: string;
  readonly targetVersion: string;
  readonly source: PackageFile | null;
  readonly target: PackageFile | null;
}

async function tryToProve(
  workspace: Workspace,
  files: readonly { readonly path: string; readonly file: PackageFile }[],
  { component, sourceVersion, targetVersion, source, target }: Ends,
  context: WorkContext,
): Promise<Trial> {
  const unproven = (why: string): Trial => {
    const ends = [
      source && `${sourceVersion} is SHA-256 ${source.sha256}`,
      target && `${targetVersion} is SHA-256 ${target.sha256}`,
    ].filter((end) => end !== null);
    const detail = `${why} That it leads from ${sourceVersion} to ${targetVersion} is the vendor’s word.`;
    const evidence = ends.length > 0 ? { expected: ends.join('; ') } : {};
    return { proof: null, findings: [deltaFinding('delta.foreign', detail, evidence)] };
  };
  const [only, second] = files;
  if (!only || second) return unproven('Only its vendor’s device can apply several files.');
  const isPublic = publicFormats.has(only.file.format);
  if (!source || !target) {
    const missing = source ? targetVersion : sourceVersion;
    return unproven(
      isPublic
        ? `It could be applied here, but ${component.id} ${missing} has no full package of a single file.`
        : 'Only its vendor’s device can apply it.',
    );
  }
  try {
    const { proof, objections } = await runTask(
      'delta.prove',
      {
        sourcePath: workspace.objects.path(source.sha256),
        patchPath: only.path,
        targetSha256: target.sha256,
        limits: component.delta ?? {},
      },
      context,
    );
    const proven = deltaFinding(
      'delta.proven',
      `Applied to ${sourceVersion} it gave the SHA-256 of ${targetVersion}.`,
      { expected: target.sha256, found: proof.targetSha256 },
    );
    const refused = objections.map((why) => deltaFinding('delta.device', why));
    return { proof, findings: [proven, ...refused] };
  } catch (error) {
    if (!(error instanceof ProblemError) || !isOfThePatch(error)) throw error;
    const { code, title, detail } = error.problem;
    if (!isPublic) return unproven('Only its vendor’s device can apply it.');
    if (code === 'patch-unsupported') return unproven(`${title}: ${detail}`);
    return { proof: null, findings: [deltaFinding('delta.not-proven', `${title}: ${detail}`)] };
  }
}

/** Whether the patch is what failed, not the reading of files. */
function isOfThePatch({ problem: { code } }: ProblemError): boolean {
  return code.startsWith('patch-') || code === 'delta-not-proven' || code === 'delta-ram';
}

function withTrial({ files }: InspectReport, { proof, findings }: Trial): InspectReport {
  const judged = files.map((file) => ({
    ...file,
    ...(proof && { format: proof.format }),
    findings: [
      ...file.findings.filter(({ rule }) => !(proof && answeredByProof.has(rule))),
      ...findings,
    ],
  }));
  const verdicts = judged.flatMap((file) => file.findings.map(({ verdict }) => verdict));
  return { verdict: worstVerdict(verdicts), files: judged };
}
