import { z } from 'zod';
import { operatorSchema } from '../domain/operator.ts';
import { deviceSchema } from '../domain/plan.ts';
import { versionSchema } from '../domain/product.ts';
import { call, fileRefSchema, id, job, none, page } from './door.ts';

const backupSchema = z.object({ folder: z.string(), files: z.number(), sizeBytes: z.number() });

/** What users of simulated devices do when a manual plan asks them; `auto` devices never ask. */
export const fleetUsersSchema = z.enum(['ignore', 'confirm', 'deny', 'auto']);
export type FleetUsers = z.infer<typeof fleetUsersSchema>;

/** Shares, 0..1, of simulated devices whose upgrades fail and that fall silent in the middle of one. */
const fleetFaults = {
  failShare: z.number().min(0).max(1).default(0),
  silentShare: z.number().min(0).max(1).default(0),
};

export const fleetStatusSchema = z.object({
  running: z.boolean(),
  devices: z.number(),
  http: z.number(),
  mqtt: z.number(),
  lwm2m: z.number(),
  updated: z.number(),
  failed: z.number(),
});
export type FleetStatus = z.infer<typeof fleetStatusSchema>;

/** The local cloud, its devices, and the simulated fleet. */
export const cloudCalls = {
  'cloud.status': call(
    none,
    z.object({
      running: z.boolean(),
      /** It runs only as long as this program does. */
      startedHere: z.boolean(),
      http: z.string().nullable(),
      mqtt: z.string().nullable(),
      coap: z.string().nullable(),
      coaps: z.string().nullable(),
    }),
  ),
  'cloud.start': job(
    none,
    z.object({
      http: z.string(),
      mqtt: z.string(),
      coap: z.string().nullable(),
      coaps: z.string().nullable(),
    }),
  ),
  'cloud.stop': call(none, none),
  /** Who is at work with the local cloud; null while it does not run. */
  'cloud.operator': call(none, operatorSchema.nullable()),
  /** Works with the local cloud under an account from now on, until signed out or closed. */
  'cloud.signIn': call(z.object({ token: z.string().min(1).max(500) }), operatorSchema),
  /** Works as the owner of the data folder again. */
  'cloud.signOut': call(none, none),
  /** Copies the data of a cloud, which may be serving, into a new folder. */
  'cloud.backup': job(z.object({ dataDir: fileRefSchema, folder: fileRefSchema }), backupSchema),
  /** Makes a new data folder of a cloud from such a copy. */
  'cloud.restore': job(z.object({ backup: fileRefSchema, dataDir: fileRefSchema }), backupSchema),
  'devices.list': call(
    z.object({ productId: id, search: z.string().optional(), ...page }),
    z.object({ total: z.number(), items: z.array(deviceSchema) }),
  ),
  /** The ids of all devices of a product, to read lists against. */
  'devices.ids': call(z.object({ productId: id }), z.array(z.string())),
  /** Whether manual plans are confirmed for these devices without asking. */
  'devices.autoConfirm': call(
    z.object({ deviceIds: z.array(deviceSchema.shape.id).min(1).max(1000), active: z.boolean() }),
    none,
  ),
  'devices.import': job(
    z.object({ devices: z.array(deviceSchema).max(10_000) }),
    z.object({
      added: z.number(),
      /** Where the secrets of new devices were written, for provisioning; null when none is new. */
      secretsFile: z.string().nullable(),
    }),
  ),

  /** Simulated devices that really poll, download, check SHA-256 and report. */
  'fleet.start': job(
    z.object({
      productId: id,
      componentId: id,
      fromVersion: versionSchema,
      http: z.number().int().min(0).max(10_000),
      mqtt: z.number().int().min(0).max(10_000),
      lwm2m: z.number().int().min(0).max(10_000).default(0),
      /** How many of them get a SIM of China Telecom, to see them excluded by name. */
      chinaTelecom: z.number().int().min(0).max(10_000).default(0),
      ...fleetFaults,
      /** How many of them begin with 12 % battery, and charge while they run. */
      lowBattery: z.number().int().min(0).max(10_000).default(0),
      /** How many of them have an RSRP of -120 dBm. */
      weakSignal: z.number().int().min(0).max(10_000).default(0),
      /** What the users of HTTP and MQTT devices do when a manual plan asks. */
      users: fleetUsersSchema.default('ignore'),
    }),
    fleetStatusSchema,
  ),
  'fleet.stop': call(none, none),
  'fleet.status': call(none, fleetStatusSchema),
} as const;
