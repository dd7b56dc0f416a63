import { z } from 'zod';
import { maxDevicesPerPlan } from './limits.ts';
import { stageFaults } from './stages.ts';

const maxMinutes = 30 * 24 * 60;
const maxStages = 20;
const minutes = z.number().int().max(maxMinutes);

/** One stage of a plan: how far it reaches, and when it lets the next one open. */
export const stageSchema = z.strictObject({
  upToPercent: z.number().gt(0).max(100).optional(),
  upToCount: z.number().int().min(1).max(maxDevicesPerPlan).optional(),
  soakMinutes: minutes.min(0).default(60),
  successPercent: z.number().min(0).max(100).default(95),
  finishedPercent: z.number().gt(0).max(100).default(90),
  hold: z.boolean().default(false),
});

/** The stages of a plan in their order; the last one takes the rest. */
export const stagesSchema = z
  .array(stageSchema)
  .min(1)
  .max(maxStages)
  .superRefine((stages, context) => {
    for (const { stage, fault } of stageFaults(stages))
      context.addIssue({ code: 'custom', path: [stage], message: fault });
  });

/** What suspends a plan by itself. */
export const stopRulesSchema = z
  .strictObject({
    failurePercent: z.number().gt(0).max(100).optional(),
    minFinished: z.number().int().min(1).max(maxDevicesPerPlan).default(20),
    failureCount: z.number().int().min(1).max(maxDevicesPerPlan).optional(),
    silentAfterMinutes: minutes.min(1).optional(),
  })
  .refine(
    ({ failurePercent, failureCount }) =>
      failurePercent !== undefined || failureCount !== undefined,
    'give failurePercent, failureCount or both',
  );

const count = z.number().int().nonnegative();

/** How a stage stands: not open, short of its gate, soaking, waiting for a person, or behind the plan. */
export const stageStateSchema = z.enum(['closed', 'open', 'soaking', 'held', 'passed']);
export type StageState = z.infer<typeof stageStateSchema>;

/** A stage of a published plan. */
export const stageStatusSchema = z.object({
  /** From 1. */
  stage: count.min(1),
  state: stageStateSchema,
  /** Devices that the stage brings to the target; those that need no update are not among them. */
  devices: count,
  notUpgraded: count,
  upgrading: count,
  upgraded: count,
  failed: count,
  silent: count,
  /** Failed and silent devices that a person accepted; they are not among those. */
  accepted: count,
  openedAt: z.string().nullable(),
  /** The person who opened it, when one did. */
  openedBy: z.object({ name: z.string(), reason: z.string() }).nullable(),
  gateMetAt: z.string().nullable(),
  /** Left of the soak, in milliseconds of running cloud; null when it does not soak. */
  soakLeftMs: z.number().nullable(),
});
export type StageStatus = z.infer<typeof stageStatusSchema>;

/** A suspension by a stop rule, with what it was judged by and what a person decided. */
export const planStopSchema = z.object({
  at: z.string(),
  rule: z.enum(['failurePercent', 'failureCount']),
  limit: z.number(),
  /** From 1; null when it was measured over the whole plan. */
  stage: count.min(1).nullable(),
  /** Those that nobody had accepted. */
  failed: count,
  silent: count,
  /** Upgraded, failed and silent devices together. */
  finished: count,
  /** The first of the failed and silent devices; the code of a silent one is `silent`. */
  devices: z.array(z.object({ deviceId: z.string(), code: z.string() })),
  resumed: z
    .object({ at: z.string(), name: z.string(), reason: z.string(), accepted: count })
    .nullable(),
});
export type PlanStop = z.infer<typeof planStopSchema>;

/** Failed devices by the stage they were in, the step that failed and the code they gave. */
export const stageFailureSchema = z.object({
  /** From 1; null in a plan without stages. */
  stage: count.min(1).nullable(),
  step: z.enum(['download', 'upgrade']),
  code: z.string(),
  count,
});
export type StageFailure = z.infer<typeof stageFailureSchema>;

/** One line of what happened to a device in a plan. */
export const deviceLogEntrySchema = z.object({
  at: z.string(),
  /** A device state, a component state, or `jobGiven`, `silent`, `heardAgain`, `accepted`, or `confirmedBy` and the like an operator. */
  event: z.string(),
  componentId: z.string().nullable(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
});
export type DeviceLogEntry = z.infer<typeof deviceLogEntrySchema>;
