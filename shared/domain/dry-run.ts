import { z } from 'zod';
import type { Device, PlanDraft, ScopeDecision } from './plan.ts';

const count = z.number().int().nonnegative();

/** What came of a plan that simulated devices carried out in a scratch cloud; times in milliseconds from publishing. */
export const dryRunSchema = z.object({
  devices: count,
  /** How many of the real devices they stand for. */
  scope: count,
  transports: z.object({ http: count, mqtt: count, lwm2m: count }),
  full: count,
  delta: count,
  /** `suspended` when a stop rule of the plan stopped it. */
  state: z.enum(['ended', 'suspended', 'terminated']),
  upgraded: count,
  failed: count,
  failures: z.array(z.object({ code: z.string(), count })),
  elapsedMs: z.number(),
  /** Until half, and 99 %, of the upgraded devices were done; null when none was. */
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});
export type DryRun = z.infer<typeof dryRunSchema>;

/**
 * At most `size` devices that stand for those a plan would upgrade: ordered by protocol and by what
 * they run, every n-th is taken, so that each kind has its share, and none of them has a real id.
 */
export function sampleScope(
  plan: PlanDraft,
  devices: readonly Device[],
  decisions: readonly ScopeDecision[],
  size: number,
): Device[] {
  const chosen = new Set(
    decisions.filter(({ action }) => action !== 'skip').map(({ deviceId }) => deviceId),
  );
  const kindOf = ({ transport, versions }: Device): string =>
    [transport, ...plan.components.map(({ componentId }) => versions[componentId] ?? '')].join(' ');
  const ordered = devices
    .filter(({ id }) => chosen.has(id))
    .map((device) => ({ device, kind: kindOf(device) }))
    .sort((one, other) => (one.kind < other.kind ? -1 : one.kind > other.kind ? 1 : 0));
  const taken = Math.min(size, ordered.length);
  return Array.from({ length: taken }, (_, at) => {
    const { device } = ordered[Math.floor(((at + 0.5) * ordered.length) / taken)] as {
      device: Device;
    };
    const { productId, transport, versions, reports = {} } = device;
    const id = `DRY-RUN-${String(at + 1).padStart(5, '0')}`;
    const own = { imsi: null, iccid: null, batch: null, lastSeenAt: null };
    return { id, productId, transport, versions: { ...versions }, reports: { ...reports }, ...own };
  });
}

/** The plan as a scratch cloud carries it out at once: for all its devices, without lists, times, soak and waiting for people. */
export function rehearsal(plan: PlanDraft): PlanDraft {
  const { timeZone: _zone, plannedTime: _time, pushPeriod: _period, stages, ...rest } = plan;
  return {
    ...rest,
    batches: [],
    whitelist: [],
    blacklist: [],
    ...(stages
      ? { stages: stages.map((stage) => ({ ...stage, soakMinutes: 0, hold: false })) }
      : {}),
  };
}
