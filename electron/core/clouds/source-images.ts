import type { Workspace } from '../workspace/workspace.ts';
import type { FleetRun } from './fleet-process.ts';

/** The images that simulated devices run, as far as the workspace has them: the sources of deltas. */
export function sourceImages(
  workspace: Workspace,
  productId: string,
  running: readonly { readonly componentId: string; readonly version: string }[],
): NonNullable<FleetRun['images']> {
  const packages = workspace.list('package');
  return running.flatMap(({ componentId, version }) => {
    const pkg = packages.findLast(
      (candidate) =>
        candidate.productId === productId &&
        candidate.componentId === componentId &&
        candidate.packageType === 'full' &&
        candidate.targetVersion === version &&
        candidate.files.length === 1,
    );
    const [image] = pkg?.files ?? [];
    return image ? [{ componentId, version, path: workspace.objects.path(image.sha256) }] : [];
  });
}
