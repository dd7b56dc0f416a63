import { z } from 'zod';
import { type DeviceReport, failureCode } from '../plans/component-steps.ts';
import type { ConsentAct, Invitation } from '../plans/consent.ts';
import type { Job } from '../plans/rollout-engine.ts';

const maxComponents = 100;
const jobId = z.string().regex(/^[1-9]\d{0,14}$/, 'a job id as text');
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const versionText = z.string().min(1).max(128);

/** Payload of `ota/v1/{device}/get`: component id to the version that the device runs, and how it is. */
export const getMessageSchema = z.object({
  versions: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), versionText)
    .refine(
      (versions) => Object.keys(versions).length <= maxComponents,
      `at most ${maxComponents} components`,
    )
    .default({}),
  /** 0..100. */
  battery: z.number().nullish(),
  /** dBm. */
  rsrp: z.number().nullish(),
  autoConfirm: z.boolean().optional(),
});

/** Payload of `ota/v1/{device}/status` that answers an invitation; a window is given with `DEFERRED`. */
export const answerMessageSchema = z.discriminatedUnion('state', [
  z.object({ job: jobId, state: z.literal('CONFIRMED') }),
  z.object({
    job: jobId,
    state: z.literal('REJECTED'),
    code: z.union([z.string(), z.number()]).nullish(),
  }),
  z.object({ job: jobId, state: z.literal('DEFERRED'), start: instant, end: instant }),
]);
export type AnswerMessage = z.infer<typeof answerMessageSchema>;

/** What an answer means to the plan. */
export function consentAct(message: AnswerMessage): ConsentAct {
  switch (message.state) {
    case 'CONFIRMED':
      return { kind: 'confirm' };
    case 'REJECTED':
      return { kind: 'cancel', code: failureCode(message.code, 'user-denied') };
    case 'DEFERRED':
      return { kind: 'appoint', fromMs: message.start, toMs: message.end };
  }
}

/** Payload of `ota/v1/{device}/status`; `progress` is 0..1 within the state. */
export const statusMessageSchema = z.object({
  job: jobId,
  state: z.enum([
    'DOWNLOADING',
    'DOWNLOADED',
    'VERIFIED',
    'UPDATING',
    'SUCCEEDED',
    'FAILED',
    'REJECTED',
  ]),
  progress: z.number().min(0).max(1).nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
  version: versionText.nullish(),
});
export type StatusMessage = z.infer<typeof statusMessageSchema>;

/** What a status means to the rollout. */
export function statusReport(message: StatusMessage): DeviceReport {
  const progress = message.progress ?? null;
  switch (message.state) {
    case 'DOWNLOADING':
      return { kind: 'progress', state: 'downloading', progress };
    case 'DOWNLOADED':
    case 'VERIFIED':
      return { kind: 'progress', state: 'downloadSucceeded', progress: 1 };
    case 'UPDATING':
      return { kind: 'progress', state: 'upgrading', progress };
    case 'SUCCEEDED':
      return typeof message.version === 'string'
        ? { kind: 'succeeded', version: message.version, protocol: 'mqtt' }
        : { kind: 'succeeded', version: null };
    case 'FAILED':
      return { kind: 'failed', code: failureCode(message.code, 'device-error') };
    case 'REJECTED':
      return { kind: 'failed', code: failureCode(message.code, 'rejected') };
  }
}

/** Payload of `ota/v1/{device}/job`: the job, or that there is none. */
export function jobMessage(job: Job | null, artifactUrl: (actionId: number) => string): string {
  if (!job) return '{"job":null}';
  const { actionId, componentId, pkg } = job;
  return JSON.stringify({
    job: String(actionId),
    component: componentId,
    packageType: pkg.packageType,
    sourceVersion: pkg.sourceVersion,
    targetVersion: pkg.targetVersion,
    name: pkg.artifact.name,
    url: artifactUrl(actionId),
    sizeBytes: pkg.artifact.sizeBytes,
    sha256: pkg.artifact.sha256,
    ...(pkg.rebuiltSha256 === null ? {} : { targetSha256: pkg.rebuiltSha256 }),
  });
}

/** Payload of `ota/v1/{device}/job` that asks the user first: what it brings, without an address to get it from. */
export function invitationMessage({ job, texts }: Invitation): string {
  const { actionId, componentId, pkg } = job;
  return JSON.stringify({
    job: String(actionId),
    confirm: true,
    component: componentId,
    packageType: pkg.packageType,
    sourceVersion: pkg.sourceVersion,
    targetVersion: pkg.targetVersion,
    sizeBytes: pkg.artifact.sizeBytes,
    texts,
  });
}
