import type { BenchRun } from '../../../shared/domain/bench.ts';
import { maxDevicesPerPlan } from '../../../shared/domain/limits.ts';
import { type Gate, type PlanDraft, type ScopeSummary } from '../../../shared/domain/plan.ts';
import type { Product, VersionPackage } from '../../../shared/domain/product.ts';

/** Everything the gates are computed from: records only, so that nobody can drag a plan past them. */
export interface GateFacts {
  readonly plan: PlanDraft;
  readonly product: Product;
  /** Packages the plan delivers. */
  readonly packages: readonly VersionPackage[];
  readonly benchRuns: readonly BenchRun[];
  readonly scope: ScopeSummary;
}

/** The gates of publishing that exist so far, each with why it passed or not. */
export function computeGates(facts: GateFacts): Gate[] {
  return [
    findingsGate(facts),
    deltasGate(facts),
    benchGate(facts),
    scopeGate(facts),
    chinaTelecomGate(facts),
  ];
}

function findingsGate({ packages }: GateFacts): Gate {
  const open = packages.flatMap((pkg) =>
    pkg.report.files.flatMap((file) =>
      file.findings
        .filter((finding) => finding.verdict === 'block')
        .map((finding) => `${file.name}: ${finding.rule}`),
    ),
  );
  const empty = packages.length === 0;
  return {
    id: 'findings',
    title: 'No open blocking finding',
    passed: open.length === 0 && !empty,
    why: empty
      ? 'The plan delivers no version package.'
      : open.length > 0
        ? open.join('; ')
        : `${packages.length} version packages, none blocked.`,
  };
}

function deltasGate({ packages }: GateFacts): Gate {
  const deltas = packages.filter((pkg) => pkg.packageType === 'delta');
  const orphans = deltas.filter((delta) => {
    const full = packages.find(
      (pkg) => pkg.packageType === 'full' && pkg.componentId === delta.componentId,
    );
    return !delta.deltaProof || (full && delta.deltaProof.targetSha256 !== full.files[0]?.sha256);
  });
  return {
    id: 'deltas',
    title: 'Every delta is proven',
    passed: orphans.length === 0,
    why:
      orphans.length > 0
        ? `Not proven against this target: ${orphans.map((pkg) => pkg.name).join(', ')}.`
        : deltas.length === 0
          ? 'The plan has no delta.'
          : `${deltas.length} proven by applying and comparing SHA-256.`,
  };
}

function benchGate({ product, packages, benchRuns }: GateFacts): Gate {
  const required = product.policy.benchRunsRequired;
  const images = packages
    .filter((pkg) => pkg.packageType === 'full' && pkg.componentType === 'mcu')
    .flatMap((pkg) => pkg.files);
  const missing = images.filter(
    (file) =>
      benchRuns.filter((run) => run.passed && run.imageSha256 === file.sha256).length < required,
  );
  return {
    id: 'bench',
    title: 'Bench policy is met for exactly these hashes',
    passed: missing.length === 0,
    why:
      missing.length > 0
        ? `${missing.map((file) => `${file.name} (${file.sha256.slice(0, 12)})`).join(', ')} needs ${required} passed bench run(s).`
        : required === 0
          ? 'The product asks for no bench run.'
          : `${required} or more passed bench run(s) for each MCU image.`,
  };
}

function scopeGate({ scope }: GateFacts): Gate {
  const chosen = scope.full + scope.delta;
  const skipped = scope.skipped.reduce((sum, entry) => sum + entry.count, 0);
  const passed = chosen > 0 && chosen <= maxDevicesPerPlan;
  const counts = `${scope.full} full, ${scope.delta} delta, ${skipped} skipped with a reason`;
  return {
    id: 'scope',
    title: `The scope is 1 to ${maxDevicesPerPlan} devices`,
    passed,
    why:
      chosen === 0
        ? `No device would be upgraded: ${counts}.`
        : passed
          ? `${counts}.`
          : `${chosen} devices; split the scope by batches into ${Math.ceil(chosen / maxDevicesPerPlan)} plans.`,
  };
}

function chinaTelecomGate({ scope }: GateFacts): Gate {
  const excluded = scope.skipped.find((entry) => entry.reason === 'chinaTelecom');
  return {
    id: 'china-telecom',
    title: 'No device on a China Telecom SIM',
    passed: true,
    why: excluded
      ? `${excluded.count} excluded: ${excluded.devices.slice(0, 20).join(', ')}${excluded.count > 20 ? ' …' : ''}.`
      : 'None in the fleet.',
  };
}
