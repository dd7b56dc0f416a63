import { z } from 'zod';
import { type DeviceReport, failureCode } from '../plans/component-steps.ts';
import type { SignalsReport } from '../store/device-signals.ts';

const versionKey = /^version\.([A-Za-z0-9_.-]{1,64})$/;

/** Attributes of a device (DDI v1, PUT configData); some clients send numbers, and null for what is not said. */
export const attributesSchema = z.object({
  mode: z.enum(['merge', 'replace', 'remove']).nullish(),
  data: z
    .record(
      z.string().max(128),
      z.union([z.string().max(4096), z.number(), z.boolean()]).nullable(),
    )
    .refine((data) => Object.keys(data).length <= 100, 'at most 100 attributes'),
});

/** The attributes that matter: `version.` and a component id, `battery` in percent, `rsrp` in dBm. */
export function readAttributes(data: Readonly<Record<string, string | number | boolean | null>>): {
  readonly versions: Readonly<Record<string, string>>;
  readonly signals: SignalsReport;
} {
  const text = (value: (typeof data)[string] | undefined): string => String(value ?? '');
  const versions: Record<string, string> = {};
  for (const [key, given] of Object.entries(data)) {
    const value = text(given);
    const componentId = versionKey.exec(key)?.[1];
    if (componentId !== undefined && value.length > 0 && value.length <= 128)
      versions[componentId] = value;
  }
  const number = (value: (typeof data)[string] | undefined): number | undefined =>
    /^-?\d{1,4}(\.\d{1,4})?$/.test(text(value)) ? Number(value) : undefined;
  return {
    versions,
    signals: { batteryPercent: number(data.battery), rsrpDbm: number(data.rsrp) },
  };
}

/**
 * DDI feedback as clients really send it: `id`, odd times and unknown fields are let through
 * (Eclipse hawkBit DDI v1, POST deploymentBase/{actionId}/feedback).
 */
export const feedbackSchema = z.object({
  status: z.object({
    execution: z.string().max(64),
    result: z
      .object({
        finished: z.string().max(64).optional(),
        progress: z
          .object({ cnt: z.coerce.number().optional(), of: z.coerce.number().optional() })
          .nullish(),
      })
      .optional(),
    code: z.union([z.number(), z.string()]).nullish(),
    details: z.union([z.array(z.string()), z.string()]).nullish(),
  }),
});

export type Feedback = z.infer<typeof feedbackSchema>;

/** What a feedback means, or null when it says nothing that matters to the rollout. */
export function toDeviceReport({ status }: Feedback, downloaded: boolean): DeviceReport | null {
  const { execution, result } = status;
  const code = (fallback: string): string => {
    const [detail] = typeof status.details === 'string' ? [status.details] : (status.details ?? []);
    return failureCode(status.code ?? detail, fallback);
  };
  const { cnt, of } = result?.progress ?? {};
  const progress =
    cnt !== undefined && of !== undefined && of > 0 ? Math.min(1, Math.max(0, cnt / of)) : null;
  switch (execution) {
    case 'download':
      return { kind: 'progress', state: 'downloading', progress };
    case 'downloaded':
      return { kind: 'progress', state: 'downloadSucceeded', progress: 1 };
    case 'proceeding':
      return { kind: 'progress', state: downloaded ? 'upgrading' : 'downloading', progress };
    case 'closed':
      return result?.finished === 'failure'
        ? { kind: 'failed', code: code('device-error') }
        : { kind: 'succeeded', version: null };
    case 'rejected':
      return { kind: 'failed', code: code('rejected') };
    case 'canceled':
      return { kind: 'failed', code: code('canceled') };
    default:
      return null;
  }
}
