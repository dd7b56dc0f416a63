import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { PackageFile, VersionPackage } from '../../../shared/domain/product.ts';
import { deltaFinding } from '../../../shared/messages/rules/delta-rules.ts';
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

/**
 * Records a vendor's own delta (`.pack`, DFOTA `.bin` or `.zip`, `.mini_1` and `.mini_2`) as a delta package. Its format
 * is checked as far as it is public; that it was not applied is said by a finding.
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
  const report = await inspectFiles(
    {
      paths,
      // What a delta holds has neither the version nor the size of an image.
      component: withoutMemory,
      extraFileTypes: workspace.config.fileTypes,
      formats: workspace.config.formats,
    },
    context,
  );
  if (report.verdict === 'block') throw blocked(report);
  const files = await storeInspected(workspace, paths, report, deltaRole, context);
  const detail = `Only its vendor’s device can apply it to ${sourceVersion}; that the result is ${release.version} is the vendor’s word.`;
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
      report: {
        verdict: 'could-not-check',
        files: report.files.map((file) => ({
          ...file,
          findings: [...file.findings, deltaFinding('delta.foreign', detail)],
        })),
      },
      deltaProof: null,
    },
    files,
    context,
  );
}
