import { z } from 'zod';
import {
  planStopSchema,
  stageFailureSchema,
  stagesSchema,
  stageStatusSchema,
  stopRulesSchema,
} from './plan-stages.ts';
import { deviceIdPattern } from './limits.ts';
import { componentTypeSchema, versionSchema } from './product.ts';
import { problemSchema } from './job.ts';
import { dayTimePattern, localTimePattern } from './local-time.ts';
import { planPreviewSchema } from './plan-preview.ts';
import { holdReasons } from './plan-strategy.ts';
import { skipReasons } from './scope.ts';

export const transportSchema = z.enum(['http', 'mqtt', 'lwm2m']);
export type Transport = z.infer<typeof transportSchema>;

/** How a device tells what it runs. */
export const reportProtocolSchema = z.enum(['ddi', 'cloudota', 'mqtt', 'lwm2m']);
export type ReportProtocol = z.infer<typeof reportProtocolSchema>;

/** What a device itself said that a component runs; a repetition renews the time once an hour. */
export const versionReportSchema = z.object({
  version: z.string(),
  at: z.string(),
  protocol: reportProtocolSchema,
});
export type VersionReport = z.infer<typeof versionReportSchema>;

export const planStateSchema = z.enum([
  'saved',
  'activated',
  'upgrading',
  'suspended',
  'terminated',
  'ended',
]);
export type PlanState = z.infer<typeof planStateSchema>;

export const deviceStateSchema = z.enum([
  'notUpgraded',
  'upgrading',
  'upgraded',
  'failed',
  'noUpdateRequired',
]);
export type DeviceState = z.infer<typeof deviceStateSchema>;

export const componentStateSchema = z.enum([
  'planNotReceived',
  'planReceived',
  'upgradeConfirmed',
  'readyToDownload',
  'downloading',
  'downloadFailed',
  'downloadSucceeded',
  'upgrading',
  'upgradeFailed',
  'upgradeSucceeded',
  'noUpdateRequired',
]);
export type ComponentState = z.infer<typeof componentStateSchema>;

/** A device as the cloud knows it. */
export const deviceSchema = z.object({
  id: z.string().regex(deviceIdPattern),
  productId: z.string(),
  transport: transportSchema,
  imsi: z.string().nullable(),
  iccid: z.string().nullable(),
  batch: z.string().nullable(),
  /** Component id to the version that the device last reported, else to the one it was declared with. */
  versions: z.record(z.string(), z.string()),
  /** Component id to the device's own last report; a component without one was only declared. */
  reports: z.record(z.string(), versionReportSchema).optional(),
  lastSeenAt: z.string().nullable(),
  /** 0..100 as the device last said; absent when it never did. */
  batteryPercent: z.number().nullish(),
  rsrpDbm: z.number().nullish(),
  /** Manual plans are confirmed for it without asking. */
  autoConfirm: z.boolean().optional(),
});
export type Device = z.infer<typeof deviceSchema>;

/** One component of a plan: the full package, and delta packages by source version. */
export const planComponentSchema = z.object({
  componentId: z.string(),
  componentType: componentTypeSchema,
  targetVersion: versionSchema,
  fullPackageId: z.string().nullable(),
  deltas: z.array(
    z.object({
      sourceVersion: versionSchema,
      packageId: z.string(),
      /** Why no device can apply it, as the component was described when the plan was published. */
      cannotApply: z.string().optional(),
    }),
  ),
});

/** What users read about a manual plan: language tag (BCP 47) to text. */
const upgradeTextsSchema = z
  .record(
    z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'a language such as en or zh-Hant'),
    z.string().max(1000),
  )
  .refine((texts) => Object.keys(texts).length <= 30, 'at most 30 languages');
const localTime = z.string().regex(localTimePattern, 'a local time such as 2026-03-01T22:00');
const dayTime = z.string().regex(dayTimePattern, 'a time of day such as 22:00');

/** The fields that came later are optional, so that older plans and their evidence stay as they are. */
export const planDraftSchema = z.object({
  /** One version package tried on one device, before many get it; an ordinary plan has no kind. */
  kind: z.literal('verification').optional(),
  name: z.string().min(1).max(100),
  productId: z.string(),
  releaseId: z.string(),
  mode: z.enum(['silent', 'manual']).default('silent'),
  /** In the upgrade sequence: a device begins a component when it is done with the one before. */
  components: z.array(planComponentSchema).min(1),
  /** Empty means every batch, or every device. */
  batches: z.array(z.string()).default([]),
  whitelist: z.array(z.string()).default([]),
  /** Wins over the whitelist. */
  blacklist: z.array(z.string()).default([]),
  retries: z.number().int().min(0).max(5).default(5),
  /** Without stages every device may begin at once. */
  stages: stagesSchema.optional(),
  /** Decides together with the device id which stage a device is in; the plan's id without it. */
  cohortSeed: z.string().min(1).max(100).optional(),
  stopRules: stopRulesSchema.optional(),
  /** IANA name; required with times. */
  timeZone: z.string().max(64).optional(),
  /** Local times of the zone. */
  plannedTime: z.object({ start: localTime, end: localTime }).optional(),
  /** Daily, in the zone; over midnight when `to` is earlier than `from`. */
  pushPeriod: z.object({ from: dayTime, to: dayTime }).optional(),
  /** -113 when absent; the least that the Quectel console takes. */
  minRsrpDbm: z.number().int().min(-113).max(-44).optional(),
  /** 30 when absent; the least that the Quectel console takes. */
  minBatteryPercent: z.number().int().min(30).max(100).optional(),
  /** Whether a device without a delta from exactly its version gets the full package; true when absent. */
  fallbackToFull: z.boolean().optional(),
  /** Whether a device that never reported a version gets the full package all the same; false when absent. */
  allowNeverReported: z.boolean().optional(),
  upgradeTexts: upgradeTextsSchema.optional(),
});
export type PlanDraft = z.infer<typeof planDraftSchema>;
export type PlanDraftInput = z.input<typeof planDraftSchema>;

export const planSchema = planDraftSchema.extend({
  id: z.string(),
  state: planStateSchema,
  createdAt: z.string(),
  publishedAt: z.string().nullable(),
});
export type Plan = z.infer<typeof planSchema>;

/** Why a device of the product is not upgraded by a plan. */
export const skipReasonSchema = z.enum(skipReasons);
export type SkipReason = z.infer<typeof skipReasonSchema>;

export const scopeDecisionSchema = z.object({
  deviceId: z.string(),
  action: z.enum(['full', 'delta', 'skip']),
  /** Chosen package for the first component that needs an update. */
  packageId: z.string().nullable(),
  /** One for each component that needs an update, in the upgrade sequence. */
  packageIds: z.array(z.string()),
  reason: skipReasonSchema.nullable(),
  detail: z.string(),
});
export type ScopeDecision = z.infer<typeof scopeDecisionSchema>;

/** Devices of a plan that get the same, or are left out for the same reason. */
export const scopeGroupSchema = z.enum(['full', 'delta', ...skipReasons]);
export type ScopeGroup = z.infer<typeof scopeGroupSchema>;

export const scopeSummarySchema = z.object({
  full: z.number(),
  delta: z.number(),
  skipped: z.array(
    z.object({ reason: skipReasonSchema, count: z.number(), devices: z.array(z.string()) }),
  ),
});
export type ScopeSummary = z.infer<typeof scopeSummarySchema>;

export const gateSchema = z.object({
  id: z.string(),
  title: z.string(),
  passed: z.boolean(),
  why: z.string(),
  /** What the gate was computed from, a line for each record, where there is more to tell. */
  details: z.array(z.string()).optional(),
});
export type Gate = z.infer<typeof gateSchema>;
export const planCheckSchema = z.object({
  gates: z.array(gateSchema),
  scope: scopeSummarySchema,
  /** What it would send and how long that takes; not part of what is recorded about a plan. */
  preview: planPreviewSchema.optional(),
});
export type PlanCheck = z.infer<typeof planCheckSchema>;

export const planCountsSchema = z.object({
  notUpgraded: z.number(),
  upgrading: z.number(),
  upgraded: z.number(),
  failed: z.number(),
  noUpdateRequired: z.number(),
});
export const planStatusSchema = z.object({
  planId: z.string(),
  state: planStateSchema,
  counts: planCountsSchema,
  /** upgraded / (upgraded + failed), 0..1; null before the first device has finished. */
  successRate: z.number().nullable(),
  failureReasons: z.array(z.object({ code: z.string(), count: z.number() })),
  /** Devices left out, by reason; China Telecom devices are named. */
  skipped: scopeSummarySchema.shape.skipped,
  /** Of a plan with stages. */
  stages: z.array(stageStatusSchema).optional(),
  /** Suspensions by stop rules, oldest first; absent without stop rules. */
  stops: z.array(planStopSchema).optional(),
  /** From publishing until 95 % of the devices were upgraded; null before. */
  timeTo95Ms: z.number().nullable().optional(),
  failures: z.array(stageFailureSchema).optional(),
  /** Waiting devices that get no job yet, by reason, with the first of each. */
  held: z
    .array(
      z.object({
        reason: z.enum(holdReasons),
        count: z.number(),
        devices: z.array(z.object({ deviceId: z.string(), detail: z.string() })),
      }),
    )
    .optional(),
});
export type PlanStatus = z.infer<typeof planStatusSchema>;

/** What became of a followed plan since the change before. */
export const planChangeSchema = z.object({
  /** Counts up by one for each change of a run of the cloud. */
  seq: z.number().int().nonnegative(),
  /** When the first of what is told here happened, in milliseconds since 1970. */
  sinceMs: z.number(),
  /** Devices that changed; null when they are many, or unknown. */
  deviceIds: z.array(z.string()).nullable(),
  /** How the plan goes; who was left out and who is held is asked for. */
  progress: planStatusSchema.omit({ skipped: true, held: true }),
});
export type PlanChange = z.infer<typeof planChangeSchema>;

export const rolloutDeviceSchema = z.object({
  deviceId: z.string(),
  transport: transportSchema,
  state: deviceStateSchema,
  attempts: z.number(),
  error: z.string().nullable(),
  updatedAt: z.string(),
  /** From 1, in a plan with stages. */
  stage: z.number().int().min(1).optional(),
  /** It was given a job and is not heard from. */
  silent: z.literal(true).optional(),
  /** A person accepted that it failed or fell silent. */
  accepted: z.literal(true).optional(),
  /** Why it gets no job yet; absent when it may have one. */
  held: z.object({ reason: z.enum(holdReasons), detail: z.string() }).optional(),
  components: z.array(
    z.object({
      componentId: z.string(),
      state: componentStateSchema,
      fromVersion: z.string().nullable(),
      toVersion: z.string(),
      packageType: z.enum(['full', 'delta']),
      progress: z.number().min(0).max(1),
    }),
  ),
});
export type RolloutDevice = z.infer<typeof rolloutDeviceSchema>;

export const historyPointSchema = planCountsSchema.extend({ atMs: z.number() });
export type HistoryPoint = z.infer<typeof historyPointSchema>;

/** What users do about their devices in a plan, or an operator for them; times are ISO 8601. */
export const deviceActSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['confirm', 'cancel', 'retry']) }),
  z.object({
    kind: z.literal('appoint'),
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
]);
export type DeviceAct = z.infer<typeof deviceActSchema>;

/** For how many devices an act was taken, and why not for the others. */
export const actOutcomeSchema = z.object({
  done: z.number(),
  failed: z.array(z.object({ deviceId: z.string(), problem: problemSchema })),
});
export type ActOutcome = z.infer<typeof actOutcomeSchema>;
