import { z } from 'zod';
import { describedFormatSchema, formatTestSchema } from '../domain/described-format.ts';
import { evidenceReportSchema } from '../domain/evidence.ts';
import { type FileSoFar, inspectReportSchema } from '../domain/finding.ts';
import { jobSchema } from '../domain/job.ts';
import { dryRunSchema } from '../domain/dry-run.ts';
import { verificationSchema } from '../domain/verification.ts';
import { deviceLogEntrySchema } from '../domain/plan-stages.ts';
import type { PlanChange } from '../domain/plan.ts';
import type { Problem } from '../domain/problem.ts';
import {
  deviceSchema,
  deviceStateSchema,
  historyPointSchema,
  actOutcomeSchema,
  deviceActSchema,
  planCheckSchema,
  scopeGroupSchema,
  planDraftSchema,
  planSchema,
  planStatusSchema,
  rolloutDeviceSchema,
} from '../domain/plan.ts';
import {
  componentTypeSchema,
  productSchema,
  releaseSchema,
  versionPackageSchema,
  versionSchema,
} from '../domain/product.ts';
import { reportFormats } from '../report/report-formats.ts';
import {
  personSchema,
  reasonSchema,
  waiverDraftSchema,
  waiverSchema,
  waiverStateSchema,
} from '../domain/waiver.ts';
import { benchCalls } from './bench-calls.ts';
import { deltaCalls } from './delta-calls.ts';
import { cloudCalls } from './cloud-calls.ts';
import { call, fileRefSchema, id, job, none, page } from './door.ts';

export const releaseSummarySchema = releaseSchema.extend({
  stage: z.enum(['draft', 'validated', 'benchTested', 'rollingOut', 'done', 'halted']),
  packageCount: z.number(),
  verdict: z.enum(['pass', 'warn', 'block', 'could-not-check']).nullable(),
  deltaCount: z.number(),
  benchPassed: z.number(),
  /** How the product's policy of boards stands for the MCU images; null where there is none. */
  bench: z.object({ isMet: z.boolean(), why: z.string() }).nullable(),
  planCount: z.number(),
});
export type ReleaseSummary = z.infer<typeof releaseSummarySchema>;

export const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  fileTypes: z.array(z.string()),
  chinaTelecomIccidPrefixes: z.array(z.string()),
  /** Name that packages made in this workspace are recorded with; empty when there is none yet. */
  person: z.string(),
});
export type Settings = z.infer<typeof settingsSchema>;

/** The name counts only where the cloud has no accounts. */
const decision = { name: personSchema.optional(), reason: reasonSchema };

export const logEntrySchema = z.object({
  seq: z.number(),
  at: z.string(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  room: z.string(),
  message: z.string(),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type LogEntry = z.infer<typeof logEntrySchema>;

/** Every door of the engine. The window, the CLI and the tests call exactly these. */
export const contract = {
  'app.info': call(
    none,
    z.object({ version: z.string(), workspace: z.object({ path: z.string(), name: z.string() }) }),
  ),
  'products.list': call(none, z.array(productSchema)),

  'releases.list': call(none, z.array(releaseSummarySchema)),
  'releases.create': call(z.object({ productId: id, version: versionSchema }), releaseSchema),

  'bundle.inspect': job(
    z.object({
      files: z.array(fileRefSchema).min(1),
      component: componentTypeSchema.optional(),
      productId: id.optional(),
      /** A component of the product; without it, the product's first one of the given type. */
      componentId: id.optional(),
      version: versionSchema.optional(),
      /** Identifier for the job, for a caller that follows what is found before the end. */
      jobId: z.uuid().optional(),
    }),
    inspectReportSchema,
  ),
  'bundle.create': job(
    z
      .object({
        componentId: id,
        files: z.array(fileRefSchema).min(1),
        name: z.string().min(1).max(100).optional(),
        /** Who makes the package; the `person` of the settings without it. */
        author: personSchema.optional(),
      })
      .and(
        z.union([
          z.object({ releaseId: id }),
          // The release is made with its first version package when it does not exist.
          z.object({ productId: id, version: versionSchema }),
        ]),
      ),
    versionPackageSchema,
  ),
  'bundle.verify': job(
    z.object({ packageId: id }),
    z.object({ packageId: id, sha256: z.string(), intact: z.boolean() }),
  ),
  /** Writes a text that the window has made, such as a list of devices, where the user wants it. */
  'text.save': call(
    z.object({ out: fileRefSchema, text: z.string().max(16 * 1024 * 1024) }),
    z.object({ path: z.string(), sizeBytes: z.number() }),
  ),
  /** Writes what was found in files, or in a version package as it is judged now, for people or for CI. */
  'bundle.report': call(
    z
      .object({ format: z.enum(reportFormats), out: fileRefSchema })
      .and(
        z.union([
          z.object({ packageId: id }),
          z.object({ report: inspectReportSchema, title: z.string().min(1).max(200) }),
        ]),
      ),
    z.object({ path: z.string(), sizeBytes: z.number() }),
  ),
  'packages.list': call(z.object({ releaseId: id.optional() }), z.array(versionPackageSchema)),

  /** Judges a report by the policy and the waivers of now, without reading the files again. */
  'bundle.judge': call(
    z.object({ report: inspectReportSchema, productId: id, version: versionSchema }),
    inspectReportSchema,
  ),
  /** Accepts the findings of one rule for exactly these bytes in one version. */
  'waivers.add': call(waiverDraftSchema, waiverSchema),
  /** Oldest first, those that were taken back included. */
  'waivers.list': call(
    z.object({ productId: id.optional(), version: versionSchema.optional() }),
    z.array(waiverSchema.extend({ state: waiverStateSchema })),
  ),
  /** Takes a waiver back; the record of it stays. */
  'waivers.remove': call(
    z.object({ waiverId: id, name: personSchema, reason: reasonSchema }),
    waiverSchema,
  ),

  'formats.list': call(none, z.array(describedFormatSchema)),
  /** Reads a file as a description says that need not be saved. */
  'formats.test': job(
    z.object({ format: describedFormatSchema, file: fileRefSchema }),
    formatTestSchema,
  ),
  /** Writes a format to slipway.yaml, in the place of the one named `replaces` (its own name without it). */
  'formats.save': call(
    z.object({ format: describedFormatSchema, replaces: z.string().optional() }),
    z.array(describedFormatSchema),
  ),
  'formats.remove': call(z.object({ name: z.string() }), z.array(describedFormatSchema)),

  ...deltaCalls,

  ...benchCalls,

  ...cloudCalls,

  'plans.create': call(planDraftSchema, planSchema),
  'plans.list': call(z.object({ releaseId: id.optional() }), z.array(planSchema)),
  /** Deletes a plan that was never published. */
  'plans.delete': call(z.object({ planId: id }), none),
  /** Gates and scope of a draft that is not saved yet. */
  'plans.preview': call(planDraftSchema, planCheckSchema),
  'plans.check': call(z.object({ planId: id }), planCheckSchema),
  /** Devices of the scope that get the same or are skipped for the same reason, by id. */
  'plans.scopeDevices': call(
    z.object({
      plan: planDraftSchema,
      group: scopeGroupSchema,
      search: z.string().max(128).default(''),
      ...page,
    }),
    z.object({
      total: z.number(),
      items: z.array(z.object({ deviceId: z.string(), detail: z.string() })),
    }),
  ),
  /** Writes a table (CSV) of every device of the product: what it gets, or why it is skipped. */
  'plans.exportScope': call(
    z.object({ plan: planDraftSchema, group: scopeGroupSchema.optional(), out: fileRefSchema }),
    z.object({ path: z.string(), sizeBytes: z.number() }),
  ),
  /** Carries a plan out with so many simulated devices in a scratch cloud. */
  'plans.dryRun': job(
    z.object({ plan: planDraftSchema, devices: z.number().int().min(1).max(10_000) }),
    dryRunSchema,
  ),
  'plans.publish': job(z.object({ planId: id }), planStatusSchema),
  'plans.suspend': call(z.object({ planId: id }), planStatusSchema),
  /** `accept` is needed when a stop rule suspended the plan: it accepts the failures of now. */
  'plans.resume': call(
    z.object({ planId: id, accept: z.object(decision).optional() }),
    planStatusSchema,
  ),
  /** Opens a stage, from 1, before its time or where the plan holds for it; one that is open stays so. */
  'plans.openStage': call(
    z.object({ planId: id, stage: z.number().int().min(1), ...decision }),
    planStatusSchema,
  ),
  'plans.terminate': call(z.object({ planId: id }), planStatusSchema),
  'plans.status': call(z.object({ planId: id }), planStatusSchema),
  /** Confirms, appoints, cancels or retries devices, each for itself. */
  'plans.act': call(
    z.object({
      planId: id,
      deviceIds: z.array(deviceSchema.shape.id).min(1).max(10_000),
      act: deviceActSchema,
    }),
    actOutcomeSchema,
  ),
  'plans.devices': call(
    z.object({
      planId: id,
      state: deviceStateSchema.optional(),
      search: z.string().optional(),
      ...page,
    }),
    z.object({ total: z.number(), items: z.array(rolloutDeviceSchema) }),
  ),
  /** What happened to one device, oldest first. */
  'plans.deviceLog': call(z.object({ planId: id, deviceId: id }), z.array(deviceLogEntrySchema)),
  'plans.history': call(z.object({ planId: id }), z.array(historyPointSchema)),
  /** Tells by events what becomes of this plan, instead of the one before; null follows none. */
  'plans.follow': call(z.object({ planId: id.nullable() }), none),

  /** Issues a component's package of a release to one device; it has 60 minutes. */
  'verifications.start': job(
    z.object({ releaseId: id, componentId: id, deviceId: deviceSchema.shape.id }),
    verificationSchema,
  ),
  /** Newest first, as they are now, or as they were last seen where the cloud stays stopped. */
  'verifications.list': call(
    z.object({ releaseId: id, startsCloud: z.boolean().default(true) }),
    z.array(verificationSchema),
  ),

  'evidence.export': job(
    z.object({ releaseId: id, out: fileRefSchema.optional() }),
    z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number() }),
  ),
  'evidence.list': call(
    none,
    z.array(
      z.object({
        path: z.string(),
        releaseId: id,
        version: z.string(),
        exportedAt: z.string(),
        sha256: z.string(),
      }),
    ),
  ),
  /** Checks any file, or one that `evidence.list` names by its path. */
  'evidence.verify': job(
    z.union([z.object({ file: fileRefSchema }), z.object({ exported: z.string() })]),
    evidenceReportSchema,
  ),

  'jobs.list': call(none, z.array(jobSchema)),
  'jobs.cancel': call(z.object({ jobId: id }), none),
  'log.tail': call(z.object({ afterSeq: z.number().int().default(0) }), z.array(logEntrySchema)),
  'settings.get': call(none, settingsSchema),
  'settings.set': call(settingsSchema.extend({ person: personSchema }).partial(), settingsSchema),
} as const;

export type Contract = typeof contract;
export type Method = keyof Contract;
export type Input<M extends Method> = z.input<Contract[M]['input']>;
export type ParsedInput<M extends Method> = z.output<Contract[M]['input']>;
export type Output<M extends Method> = z.output<Contract[M]['output']>;

/** Pushed from engine to window, batched and numbered. */
export type StudioEvent =
  | { readonly type: 'job'; readonly seq: number; readonly job: z.infer<typeof jobSchema> }
  | {
      readonly type: 'file-so-far';
      readonly seq: number;
      readonly jobId: string;
      readonly file: FileSoFar;
    }
  | { readonly type: 'log'; readonly seq: number; readonly entry: LogEntry }
  | {
      readonly type: 'plan';
      readonly seq: number;
      readonly planId: string;
      readonly change: PlanChange;
    };

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Problem };
