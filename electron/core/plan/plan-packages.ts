import type { PlanDraft } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** A file of the workspace that devices download. */
interface PlanArtifact {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What a device downloads: the image or patch itself, or the archive when there are several files. */
export function artifactOf(workspace: Workspace, pkg: VersionPackage): PlanArtifact {
  const [file] = pkg.files;
  const single =
    file && pkg.files.length === 1
      ? file
      : {
          name: `${pkg.componentId}_${pkg.targetVersion}.tar`,
          sizeBytes: pkg.sizeBytes,
          sha256: pkg.sha256,
        };
  return {
    path: workspace.objects.path(single.sha256),
    name: single.name,
    sizeBytes: single.sizeBytes,
    sha256: single.sha256,
  };
}

/** Checks that the packages of a component are those of its release, versions and types. @throws ProblemError `plan-packages` */
export function checkComponent(
  workspace: Workspace,
  draft: PlanDraft,
  component: PlanDraft['components'][number],
): void {
  const parts = [
    { id: component.fullPackageId, type: 'full', source: null as string | null },
    ...component.deltas.map((delta) => ({
      id: delta.packageId,
      type: 'delta',
      source: delta.sourceVersion as string | null,
    })),
  ];
  for (const part of parts) {
    if (part.id === null) continue;
    const pkg = workspace.get('package', part.id);
    const fits =
      pkg.releaseId === draft.releaseId &&
      pkg.componentId === component.componentId &&
      pkg.packageType === part.type &&
      pkg.targetVersion === component.targetVersion &&
      pkg.sourceVersion === part.source;
    if (!fits) {
      throw problem(
        'plan-packages',
        'A package does not fit the plan',
        `${pkg.name} is not the ${part.type} package of ${component.componentId} ${part.source === null ? '' : `from ${part.source} `}to ${component.targetVersion} in this release.`,
        'Choose a package of this component, release and source version.',
        'usage',
      );
    }
  }
}
