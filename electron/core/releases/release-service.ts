import { randomUUID } from 'node:crypto';
import type { ReleaseSummary } from '../../../shared/contract/contract.ts';
import type { BenchRun } from '../../../shared/domain/bench.ts';
import { countText } from '../../../shared/domain/bench-policy.ts';
import { judgeImages } from '../../../shared/domain/bench-gate.ts';
import { worstVerdict } from '../../../shared/domain/verdict.ts';
import type { Release, VersionPackage } from '../../../shared/domain/product.ts';
import { judgedPackages } from '../bundle/waiver-service.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** Adds a release of a product. @throws ProblemError `release-exists` | `unknown-id` */
export function createRelease(workspace: Workspace, productId: string, version: string): Release {
  const release: Release = {
    id: randomUUID(),
    productId: workspace.product(productId).id,
    version,
    createdAt: new Date().toISOString(),
  };
  workspace.addRelease(release);
  return release;
}

/** The release of a product with this version, made when it does not exist. @throws ProblemError `unknown-id` */
export function ensureRelease(workspace: Workspace, productId: string, version: string): Release {
  return workspace.transaction(
    () =>
      workspace
        .releases()
        .find((release) => release.productId === productId && release.version === version) ??
      createRelease(workspace, productId, version),
  );
}

/** Every release with its stage, computed from the records alone. */
export function summarizeReleases(workspace: Workspace): ReleaseSummary[] {
  const group = <T>(
    items: readonly T[],
    key: (item: T) => string | null,
  ): Map<string | null, T[]> => {
    const groups = new Map<string | null, T[]>();
    for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
    return groups;
  };
  const packages = group(judgedPackages(workspace), (pkg) => pkg.releaseId);
  const benchRuns = workspace.list('benchRun');
  const passedRuns = benchRuns.filter((run) => run.passed);
  const plans = group(workspace.list('plan'), (plan) => plan.releaseId);
  return workspace.releases().map((release) => {
    const own = packages.get(release.id) ?? [];
    const verdict = own.length > 0 ? worstVerdict(own.map((pkg) => pkg.report.verdict)) : null;
    const images = new Set(own.flatMap((pkg) => pkg.files.map((file) => file.sha256)));
    const benchPassed = passedRuns.filter((run) => images.has(run.imageSha256)).length;
    const states = (plans.get(release.id) ?? []).map((plan) => plan.state);
    return {
      ...release,
      packageCount: own.length,
      verdict,
      deltaCount: own.filter((pkg) => pkg.packageType === 'delta').length,
      benchPassed,
      bench: benchStanding(workspace, release, own, benchRuns),
      planCount: states.length,
      stage: stageOf(states, benchPassed, verdict),
    };
  });
}

/** How the product's policy of boards stands for the release; null where it has none, or no MCU image yet. */
function benchStanding(
  workspace: Workspace,
  release: Release,
  packages: readonly VersionPackage[],
  benchRuns: readonly BenchRun[],
): ReleaseSummary['bench'] {
  const product = workspace.config.products.find(({ id }) => id === release.productId);
  if (!product) return null;
  const at = new Date().toISOString();
  const full = packages.filter(({ packageType }) => packageType === 'full');
  const images = judgeImages({ product, packages: full, releasePackages: full, benchRuns, at });
  if (images.length === 0) return null;
  return {
    isMet: images.every(({ judged }) => judged.isMet),
    why: images.map(({ name, judged }) => `${name}: ${countText(judged.revisions)}`).join('; '),
  };
}

function stageOf(
  states: readonly string[],
  benchPassed: number,
  verdict: ReleaseSummary['verdict'],
): ReleaseSummary['stage'] {
  if (states.some((state) => state === 'activated' || state === 'upgrading')) return 'rollingOut';
  if (states.some((state) => state === 'suspended' || state === 'terminated')) return 'halted';
  if (states.includes('ended')) return 'done';
  if (benchPassed > 0) return 'benchTested';
  return verdict && verdict !== 'block' ? 'validated' : 'draft';
}
