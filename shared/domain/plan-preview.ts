import { z } from 'zod';
import { ddiPollSeconds, maxDevicesPerPlan } from './limits.ts';
import type { Device, PlanDraft, ScopeDecision } from './plan.ts';
import { dailyMinutes } from './plan-schedule.ts';
import type { Product, VersionPackage } from './product.ts';
import { dealStages, stageSizes } from './stages.ts';

const count = z.number().int().nonnegative();

/** What a plan would send, how long that would take, and how to split it when it is too large. Sizes in bytes. */
export const planPreviewSchema = z.object({
  /** What all devices download together, without headers and repetitions. */
  airBytes: count,
  packages: z.array(
    z.object({
      packageId: z.string(),
      name: z.string(),
      componentId: z.string(),
      packageType: z.enum(['full', 'delta']),
      sourceVersion: z.string().nullable(),
      devices: count,
      sizeBytes: count,
      airBytes: count,
    }),
  ),
  /** Of a plan with stages; `ms` is without the soak, null when nothing tells the pace. */
  stages: z
    .array(
      z.object({
        stage: count.min(1),
        devices: count,
        airBytes: count,
        ms: z.number().nullable(),
        soakMs: count,
      }),
    )
    .optional(),
  duration: z.object({
    /** From publishing to the last device that is online, soak of stages included. */
    ms: z.number().nullable(),
    /** What it was computed from. */
    basis: z.enum(['lastRollout', 'linkSpeed', 'unknown']),
    assumptions: z.array(z.string()),
  }),
  /** How to split a plan that reaches more devices than one may; by batches where that is possible. */
  split: z
    .object({
      plans: count,
      byBatch: z.array(z.object({ batches: z.array(z.string()), devices: count })).nullable(),
    })
    .nullable(),
});
export type PlanPreview = z.infer<typeof planPreviewSchema>;

/** How the last rollout of a product went: milliseconds until 95 % of its devices were upgraded. */
export interface LastRollout {
  readonly planName: string;
  readonly devices: number;
  readonly timeTo95Ms: number;
}

/** Everything that a preview is computed from. */
export interface PreviewFacts {
  readonly plan: PlanDraft;
  readonly decisions: readonly ScopeDecision[];
  readonly devices: readonly Device[];
  /** Packages of the plan with the size of the file that devices download. */
  readonly packages: readonly { readonly pkg: VersionPackage; readonly sizeBytes: number }[];
  readonly product: Product;
  readonly lastRollout: LastRollout | null;
  /** What decides together with the device id in which stage a device is; null while the plan has no id. */
  readonly cohortSeed: string | null;
  readonly sha256: (text: string) => string;
}

const dayMs = 86_400_000;
const minuteMs = 60_000;

/** Bytes over the air by package and by stage, the expected duration, and how to split. */
export function previewPlan(facts: PreviewFacts): PlanPreview {
  const chosen = facts.decisions.filter(({ action }) => action !== 'skip');
  const sizes = new Map(facts.packages.map(({ pkg, sizeBytes }) => [pkg.id, sizeBytes]));
  const takers = new Map<string, number>();
  for (const { packageIds } of chosen)
    for (const id of packageIds) takers.set(id, (takers.get(id) ?? 0) + 1);
  const packages = facts.packages.map(({ pkg, sizeBytes }) => {
    const devices = takers.get(pkg.id) ?? 0;
    const { id: packageId, name, componentId, packageType, sourceVersion } = pkg;
    const airBytes = devices * sizeBytes;
    return {
      packageId,
      name,
      componentId,
      packageType,
      sourceVersion,
      devices,
      sizeBytes,
      airBytes,
    };
  });
  const airBytes = packages.reduce((sum, pkg) => sum + pkg.airBytes, 0);
  const pace = paceOf(facts, chosen);
  const stages = stagesOf(facts, chosen, airBytes, sizes, pace.msFor);
  return {
    airBytes,
    packages,
    ...(stages ? { stages } : {}),
    duration: durationOf(facts.plan, pace, chosen.length, stages),
    split: splitOf(chosen, facts.devices),
  };
}

interface Pace {
  readonly basis: PlanPreview['duration']['basis'];
  readonly assumptions: readonly string[];
  /** Milliseconds for so many devices at once; null when nothing tells. */
  readonly msFor: (devices: number) => number | null;
}

function paceOf(facts: PreviewFacts, chosen: readonly ScopeDecision[]): Pace {
  const { lastRollout } = facts;
  if (lastRollout) {
    const { planName, devices: before, timeTo95Ms } = lastRollout;
    return {
      basis: 'lastRollout',
      assumptions: [
        `Measured: “${planName}” had upgraded 95 % of ${before} devices after ${spanText(timeTo95Ms)}.`,
        'More devices take longer in proportion; fewer take as long.',
        'Packages are about as large as then, and as many devices are online.',
      ],
      msFor: (devices) => Math.round(timeTo95Ms * Math.max(1, devices / before)),
    };
  }
  return linkPace(facts, chosen);
}

function linkPace(
  { packages, product, devices }: PreviewFacts,
  chosen: readonly ScopeDecision[],
): Pace {
  const seconds = new Map<string, number>();
  const used = new Set(chosen.flatMap(({ packageIds }) => packageIds));
  const undescribed = new Set<string>();
  const speeds = new Set<string>();
  for (const { pkg, sizeBytes } of packages) {
    if (!used.has(pkg.id)) continue;
    const component = product.components.find(({ id }) => id === pkg.componentId);
    const speed = component?.delta?.linkBytesPerSecond;
    if (speed === undefined) undescribed.add(pkg.componentId);
    else {
      seconds.set(pkg.id, sizeBytes / speed);
      speeds.add(`${pkg.componentId} ${speed} bytes/s`);
    }
  }
  if (undescribed.size > 0 || used.size === 0)
    return {
      basis: 'unknown',
      assumptions:
        used.size === 0
          ? ['No device would be upgraded.']
          : [
              `No earlier rollout of this product has reached 95 %, and no link speed is described for ${[...undescribed].join(', ')} (delta.linkBytesPerSecond).`,
            ],
      msFor: () => null,
    };
  const longest = chosen.reduce((most, { packageIds }) => {
    const sum = packageIds.reduce((total, id) => total + (seconds.get(id) ?? 0), 0);
    return Math.max(most, sum);
  }, 0);
  const ids = new Set(chosen.map(({ deviceId }) => deviceId));
  const polls = devices.some(({ id, transport }) => transport === 'http' && ids.has(id));
  return {
    basis: 'linkSpeed',
    assumptions: [
      `Computed from the described link speed: ${[...speeds].join(', ')}.`,
      'Every device is online and downloads at once; the cloud and its line keep up.',
      'Writing the flash, restarts and retries are not counted.',
      polls
        ? `HTTP devices ask every ${ddiPollSeconds} s; others are told at once.`
        : 'Devices are told at once.',
    ],
    msFor: (some) => (some === 0 ? 0 : Math.round((longest + (polls ? ddiPollSeconds : 0)) * 1000)),
  };
}

function stagesOf(
  { plan, cohortSeed, sha256 }: PreviewFacts,
  chosen: readonly ScopeDecision[],
  airBytes: number,
  sizes: ReadonlyMap<string, number>,
  msFor: Pace['msFor'],
): NonNullable<PlanPreview['stages']> | null {
  const { stages } = plan;
  if (!stages) return null;
  const counts = stageSizes(stages, chosen.length);
  const bytes = counts.map((devices) => Math.round((airBytes * devices) / (chosen.length || 1)));
  const seed = plan.cohortSeed ?? cohortSeed;
  if (seed !== null) {
    const ids = chosen.map(({ deviceId }) => deviceId);
    const places = dealStages(ids, seed, stages, sha256);
    bytes.fill(0);
    for (const { deviceId, packageIds } of chosen) {
      const place = places.get(deviceId) ?? 0;
      for (const id of packageIds) bytes[place] = (bytes[place] ?? 0) + (sizes.get(id) ?? 0);
    }
  }
  return stages.map(({ soakMinutes }, place) => ({
    stage: place + 1,
    devices: counts[place] ?? 0,
    airBytes: bytes[place] ?? 0,
    ms: msFor(counts[place] ?? 0),
    soakMs: place === stages.length - 1 ? 0 : soakMinutes * minuteMs,
  }));
}

function durationOf(
  plan: PlanDraft,
  { basis, assumptions, msFor }: Pace,
  devices: number,
  stages: PlanPreview['stages'] | null,
): PlanPreview['duration'] {
  const notes = [...assumptions];
  let ms: number | null = msFor(devices);
  if (stages) {
    ms = stages.reduce<number | null>(
      (sum, stage) => (sum === null || stage.ms === null ? null : sum + stage.ms + stage.soakMs),
      0,
    );
    notes.push('Each stage opens as soon as its gate allows, and nobody has to hold it.');
  }
  if (plan.pushPeriod) {
    const openMs = dailyMinutes(plan.pushPeriod) * minuteMs;
    if (ms !== null && ms > openMs) ms = Math.floor(ms / openMs) * dayMs + (ms % openMs);
    notes.push(`Devices begin only from ${plan.pushPeriod.from} to ${plan.pushPeriod.to}.`);
  }
  if (plan.mode === 'manual') notes.push('Every user confirms at once.');
  return { ms, basis, assumptions: notes };
}

/** Batches are packed into as few plans as the order of their sizes allows. */
function splitOf(
  chosen: readonly ScopeDecision[],
  devices: readonly Device[],
): PlanPreview['split'] {
  if (chosen.length <= maxDevicesPerPlan) return null;
  const batchOf = new Map(devices.map(({ id, batch }) => [id, batch]));
  const counts = new Map<string | null, number>();
  for (const { deviceId } of chosen) {
    const batch = batchOf.get(deviceId) ?? null;
    counts.set(batch, (counts.get(batch) ?? 0) + 1);
  }
  const fewest = Math.ceil(chosen.length / maxDevicesPerPlan);
  const plans: { batches: string[]; devices: number }[] = [];
  for (const [batch, size] of [...counts].toSorted(([, one], [, other]) => other - one)) {
    if (batch === null || size > maxDevicesPerPlan) return { plans: fewest, byBatch: null };
    const room = plans.find((plan) => plan.devices + size <= maxDevicesPerPlan);
    if (room) {
      room.batches.push(batch);
      room.devices += size;
    } else plans.push({ batches: [batch], devices: size });
  }
  return { plans: plans.length, byBatch: plans };
}

function spanText(ms: number): string {
  if (ms < minuteMs) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.round(ms / minuteMs);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
