import type { ReleaseSummary } from '../../shared/contract/contract.ts';
import type { Product, VersionPackage } from '../../shared/domain/product.ts';
import type { ViewName } from './studio.ts';

/** Where a release stands at one room of the line. */
export interface LineStep {
  readonly view: ViewName;
  readonly title: string;
  /** `later` waits for another step, `not-needed` is asked for by nothing. */
  readonly state: 'done' | 'open' | 'running' | 'blocked' | 'later' | 'not-needed';
  /** What has been recorded, or what is missing. */
  readonly why: string;
  /** What to do, for a button; null when nothing is to be done. */
  readonly action: string | null;
}

/** What the line of a release is computed from. */
export interface LineFacts {
  readonly release: ReleaseSummary;
  readonly product: Product;
  /** Every version package of the workspace. */
  readonly packages: readonly VersionPackage[];
  readonly evidenceExported: boolean;
}

/** Full packages of other releases of the product that a delta to this release could start from. */
export function deltaSources(
  release: Pick<ReleaseSummary, 'id' | 'productId'>,
  packages: readonly VersionPackage[],
  componentId?: string,
): readonly VersionPackage[] {
  const targets = packages.filter(
    (pkg) => pkg.releaseId === release.id && pkg.packageType === 'full',
  );
  return packages.filter(
    (pkg) =>
      pkg.packageType === 'full' &&
      pkg.productId === release.productId &&
      pkg.releaseId !== release.id &&
      (componentId === undefined
        ? targets.some((target) => target.componentId === pkg.componentId)
        : pkg.componentId === componentId),
  );
}

/** The release's way through the rooms: what is done, what is open and why. */
export function releaseLine(facts: LineFacts): readonly LineStep[] {
  const bundle = bundleStep(facts);
  const bundled = bundle.state === 'done';
  const rest = [deltaStep(facts), benchStep(facts), rolloutStep(facts), evidenceStep(facts)];
  return [bundle, ...rest.map((step) => (bundled ? step : waitFor(step)))];
}

/** The step to do next; a delta is only proposed as long as no later step has been done. */
export function nextStep(line: readonly LineStep[]): LineStep | null {
  const due = line.filter((step) => step.state === 'open' || step.state === 'blocked');
  const begun = line.some(
    (step) =>
      (step.view === 'bench' && step.state === 'done') ||
      (step.view === 'rollout' && step.state !== 'open' && step.state !== 'later'),
  );
  return due.find((step) => step.view !== 'delta' || !begun) ?? null;
}

function waitFor(step: LineStep): LineStep {
  if (step.state === 'done' || step.state === 'running') return step;
  return { ...step, state: 'later', why: 'Waits for the bundle.', action: null };
}

function bundleStep({ release }: LineFacts): LineStep {
  const base = { view: 'bundle', title: 'Bundle' } as const;
  const fullCount = release.packageCount - release.deltaCount;
  if (release.verdict === 'block')
    return {
      ...base,
      state: 'blocked',
      why: 'A finding blocks the release.',
      action: 'Look at the findings',
    };
  if (fullCount === 0)
    return {
      ...base,
      state: 'open',
      why: 'No version package yet.',
      action: 'Add firmware files',
    };
  return {
    ...base,
    state: 'done',
    why: `${fullCount} full version package${fullCount === 1 ? '' : 's'}.`,
    action: null,
  };
}

function deltaStep({ release, packages }: LineFacts): LineStep {
  const base = { view: 'delta', title: 'Delta' } as const;
  if (release.deltaCount > 0)
    return {
      ...base,
      state: 'done',
      why: `${release.deltaCount} proven delta package${release.deltaCount === 1 ? '' : 's'}.`,
      action: null,
    };
  const [source] = deltaSources(release, packages);
  if (!source)
    return {
      ...base,
      state: 'not-needed',
      why: 'No other version to start from.',
      action: null,
    };
  return {
    ...base,
    state: 'open',
    why: 'None yet: devices would download full images.',
    action: `Make a delta from ${source.targetVersion}`,
  };
}

function benchStep({ release, product, packages }: LineFacts): LineStep {
  const base = { view: 'bench', title: 'Bench' } as const;
  const images = packages
    .filter(
      (pkg) =>
        pkg.releaseId === release.id && pkg.packageType === 'full' && pkg.componentType === 'mcu',
    )
    .reduce((sum, pkg) => sum + pkg.files.length, 0);
  const required = product.policy.benchRunsRequired * images;
  const { bench } = release;
  if (bench) {
    const why = `${bench.why}.`;
    return bench.isMet && release.benchPassed >= required
      ? { ...base, state: 'done', why, action: null }
      : { ...base, state: 'open', why, action: 'Flash and check a board' };
  }
  if (required === 0)
    return {
      ...base,
      state: release.benchPassed > 0 ? 'done' : 'not-needed',
      why:
        release.benchPassed > 0
          ? `${release.benchPassed} passed.`
          : 'The policy asks for no bench run.',
      action: null,
    };
  const why = `${release.benchPassed} of ${required} required bench run${required === 1 ? '' : 's'} passed.`;
  if (release.benchPassed >= required) return { ...base, state: 'done', why, action: null };
  return { ...base, state: 'open', why, action: 'Flash and check a board' };
}

function rolloutStep({ release }: LineFacts): LineStep {
  const base = { view: 'rollout', title: 'Rollout' } as const;
  if (release.stage === 'rollingOut')
    return { ...base, state: 'running', why: 'Devices are being upgraded.', action: null };
  if (release.stage === 'halted')
    return {
      ...base,
      state: 'blocked',
      why: 'A plan is suspended or terminated.',
      action: 'Look at the rollout',
    };
  if (release.stage === 'done')
    return { ...base, state: 'done', why: 'The plan has ended.', action: null };
  if (release.planCount === 0)
    return { ...base, state: 'open', why: 'No plan yet.', action: 'Write the plan' };
  return { ...base, state: 'open', why: 'The plan is not published.', action: 'Publish the plan' };
}

function evidenceStep({ release, evidenceExported }: LineFacts): LineStep {
  const base = { view: 'evidence', title: 'Evidence' } as const;
  if (evidenceExported)
    return { ...base, state: 'done', why: 'The record has been exported.', action: null };
  if (release.stage !== 'done')
    return { ...base, state: 'later', why: 'Waits for the rollout to end.', action: null };
  return {
    ...base,
    state: 'open',
    why: 'The record has not been exported.',
    action: 'Export the record',
  };
}
