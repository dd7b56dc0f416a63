import type { BenchRun } from './bench.ts';
import { benchGate } from './bench-gate.ts';
import { incompatible, type VersionCombination } from './compatibility.ts';
import { deltaDeviceGates, deltasGate } from './delta-gate.ts';
import type { Finding } from './finding.ts';
import { maxDevicesPerPlan } from './limits.ts';
import type { Gate, ScopeSummary } from './plan.ts';
import { applyPolicy } from './policy.ts';
import type { Product, VersionPackage } from './product.ts';
import { minReasonLength } from './person.ts';
import { applyWaivers, isByAnother, type Waiver } from './waiver.ts';

/** What a release's own records say: kept in its evidence, so that anyone can compute these gates again. */
export interface RecordFacts {
  readonly product: Product;
  /** Packages that the plan delivers. */
  readonly packages: readonly VersionPackage[];
  /** Every package of the plan's release: a delta must rebuild the image that was validated here. */
  readonly releasePackages: readonly VersionPackage[];
  /** Every package of the product, where they are at hand: a delta must start from the image that its source version is. */
  readonly sourcePackages?: readonly VersionPackage[];
  readonly benchRuns: readonly BenchRun[];
  /** ISO 8601: the moment that the gates are computed for. */
  readonly at: string;
  /** Those in force at the time that the gates are computed for. */
  readonly waivers: readonly Waiver[];
}

/** Everything the gates are computed from: records only, so that nobody can drag a plan past them. */
export interface GateFacts extends RecordFacts {
  readonly scope: ScopeSummary;
  /** Whitelisted or blacklisted ids that are no device of the product. */
  readonly unknownIds: readonly string[];
  /** What would run side by side on the devices of the scope once the plan has ended. */
  readonly combinations?: readonly VersionCombination[];
}

/** The gates of publishing that exist so far, each with why it passed or not. */
export function computeGates(facts: GateFacts): Gate[] {
  return [
    ...computeRecordGates(facts),
    ...compatibilityGates(facts),
    scopeGate(facts),
    chinaTelecomGate(facts),
  ];
}

/** The gates that do not depend on the fleet. */
export function computeRecordGates(facts: RecordFacts): Gate[] {
  return [
    findingsGate(facts),
    waiversGate(facts),
    deltasGate(facts),
    ...deltaDeviceGates(facts),
    benchGate(facts),
  ];
}

/** A finding of a delivered file, judged by the product's policy and the waivers in force. */
interface JudgedFinding extends Finding {
  readonly fileName: string;
  readonly author: string | undefined;
}

function judgedFindings({ product, packages, waivers }: RecordFacts): JudgedFinding[] {
  return packages.flatMap(({ report, author, productId, targetVersion }) => {
    const own = waivers.filter(
      (waiver) => waiver.productId === productId && waiver.version === targetVersion,
    );
    const { files } = applyWaivers(applyPolicy(report, product.policy.findings), own, author);
    return files.flatMap(({ name, findings }) =>
      findings.map((finding) => ({ ...finding, fileName: name, author })),
    );
  });
}

const isWaivedByAnother = ({ waived, author }: JudgedFinding): boolean =>
  waived !== undefined && isByAnother(waived, author);

function findingsGate(facts: RecordFacts): Gate {
  const { packages } = facts;
  const blocking = judgedFindings(facts).filter(({ verdict }) => verdict === 'block');
  const open = blocking
    .filter((finding) => !isWaivedByAnother(finding))
    .map(({ fileName, rule }) => `${fileName}: ${rule}`);
  const waived = blocking.length - open.length;
  const empty = packages.length === 0;
  return {
    id: 'findings',
    title: 'No open blocking finding',
    passed: open.length === 0 && !empty,
    why: empty
      ? 'The plan delivers no version package.'
      : open.length > 0
        ? open.join('; ')
        : waived > 0
          ? `${packages.length} version packages, ${waived} blocking findings waived by another person.`
          : `${packages.length} version packages, none blocked.`,
  };
}

function waiversGate(facts: RecordFacts): Gate {
  const waived = judgedFindings(facts).filter((finding) => finding.waived !== undefined);
  const faults = waived.flatMap((finding) => {
    const { fileName, rule, author, waived: mark } = finding;
    const place = `${fileName}: ${rule}`;
    if ((mark?.reason ?? '').trim().length < minReasonLength)
      return [`${place} is waived without a reason`];
    if (author === undefined)
      return [`${place} is waived, but the author of the package is not recorded`];
    return isWaivedByAnother(finding) ? [] : [`${place} is waived by ${author}, the author`];
  });
  return {
    id: 'waivers',
    title: "Each waiver has a reason and another person's name",
    passed: faults.length === 0,
    why:
      faults.length > 0
        ? `${[...new Set(faults)].join('; ')}.`
        : waived.length === 0
          ? 'No finding is waived.'
          : `${[...new Set(waived.map(({ fileName, rule, waived: mark }) => `${fileName}: ${rule} by ${mark?.name}`))].join('; ')}.`,
  };
}

const namedCombinations = 5;

/** A product without a matrix promises nothing that could be broken. */
function compatibilityGates({ product, combinations = [] }: GateFacts): Gate[] {
  if (product.compatibility === undefined) return [];
  const wrong = incompatible(product, combinations);
  const more =
    wrong.length > namedCombinations ? `; and ${wrong.length - namedCombinations} more` : '';
  return [
    {
      id: 'compatibility',
      title: 'Components work together on every device',
      passed: wrong.length === 0,
      why:
        wrong.length > 0
          ? `No row of the matrix holds ${wrong.slice(0, namedCombinations).join('; ')}${more}.`
          : `${combinations.length} combinations of versions, each in a row of the matrix.`,
    },
  ];
}

function scopeGate({ scope, unknownIds }: GateFacts): Gate {
  const chosen = scope.full + scope.delta;
  const skipped = scope.skipped.reduce((sum, entry) => sum + entry.count, 0);
  const passed = chosen > 0 && chosen <= maxDevicesPerPlan;
  const unknown =
    unknownIds.length > 0
      ? `; ${unknownIds.length} listed ids are no device of this product: ${named(unknownIds)}`
      : '';
  const counts = `${scope.full} full, ${scope.delta} delta, ${skipped} skipped with a reason${unknown}`;
  return {
    id: 'scope',
    title: `The scope is 1 to ${maxDevicesPerPlan.toLocaleString('en-US')} devices`,
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
      ? `${excluded.count} excluded: ${named(excluded.devices)}.`
      : 'None in the fleet.',
  };
}

const namedIds = 20;

function named(ids: readonly string[]): string {
  return `${ids.slice(0, namedIds).join(', ')}${ids.length > namedIds ? ', …' : ''}`;
}
