import { z } from 'zod';
import { fleetStatusSchema, fleetUsersSchema } from '../../../shared/contract/cloud-calls.ts';
import { deviceSchema, transportSchema } from '../../../shared/domain/plan.ts';

/** What a fleet process reads as the first line of its stdin. */
export const fleetConfigSchema = z.object({
  endpoint: z.object({
    http: z.string(),
    mqtt: z.string(),
    /** Of LwM2M, with `coaps:` under DTLS. */
    coap: z.string().nullable().default(null),
  }),
  devices: z.array(
    z.object({
      id: deviceSchema.shape.id,
      transport: transportSchema,
      versions: deviceSchema.shape.versions,
      secret: z.string().min(1),
      /** Every upgrade of it fails, or it takes a job and is never heard from again. */
      fault: z.enum(['fail', 'silent']).optional(),
      /** What it says of its battery and signal at first; devices without say nothing. */
      batteryPercent: z.number().min(0).max(100).nullish(),
      rsrpDbm: z.number().min(-140).max(-44).nullish(),
    }),
  ),
  /** Images that devices run, as files: what a delta is applied to. */
  images: z
    .array(z.object({ componentId: z.string(), version: z.string(), path: z.string() }))
    .default([]),
  /** What users do when a manual plan asks. */
  users: fleetUsersSchema.default('ignore'),
  /** Time between polls in milliseconds, instead of the one that the cloud asks for. */
  pollMs: z.number().int().positive().optional(),
});
export type FleetConfig = z.infer<typeof fleetConfigSchema>;
export type FleetConfigInput = z.input<typeof fleetConfigSchema>;

/** What a fleet process prints, one JSON line each; problems go to stderr as `{"error"}`. */
export const fleetMessageSchema = z.union([
  /** Every MQTT device is connected, every LwM2M device registered, every HTTP device polls. */
  z.object({ ready: z.literal(true) }),
  z.object({ status: fleetStatusSchema }),
]);
export type FleetMessage = z.infer<typeof fleetMessageSchema>;
