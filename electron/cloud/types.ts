import type { DeviceLog } from './plans/device-log.ts';
import type { ConsentService } from './plans/consent.ts';
import type { HeldDevices } from './plans/held-devices.ts';
import type { LiveChanges } from './plans/live-changes.ts';
import type { PlanHistory } from './plans/history.ts';
import type { PlanService } from './plans/plan-service.ts';
import type { RolloutEngine } from './plans/rollout-engine.ts';
import type { RolloutGuard } from './plans/rollout-guard.ts';
import type { RolloutStore } from './plans/rollout-store.ts';
import type { RateLimits } from './rate-limits.ts';
import type { AccountStore } from './store/accounts.ts';
import type { ArtifactStore } from './store/artifact-store.ts';
import type { AuditLog } from './store/audit-log.ts';
import type { SignalStore } from './store/device-signals.ts';
import type { DeviceStore } from './store/devices.ts';
import type { PackageStore } from './store/packages.ts';
import type { Webhooks } from './webhooks.ts';

/** One page of a longer list. */
export interface Page<T> {
  readonly total: number;
  readonly items: readonly T[];
}

/** Where devices reach the cloud. */
export interface CloudAddresses {
  readonly http: string;
  readonly mqtt: string;
  /** LwM2M in the clear; null when it is not served. */
  readonly coap: string | null;
  /** LwM2M under DTLS; null when it is not served. */
  readonly coaps: string | null;
}

/** What the servers of the cloud work with. */
export interface CloudParts {
  readonly devices: DeviceStore;
  readonly signals: SignalStore;
  readonly packages: PackageStore;
  readonly artifacts: ArtifactStore;
  readonly plans: PlanService;
  readonly rollout: RolloutStore;
  readonly history: PlanHistory;
  readonly engine: RolloutEngine;
  readonly guard: RolloutGuard;
  readonly log: DeviceLog;
  readonly consents: ConsentService;
  readonly held: HeldDevices;
  readonly changes: LiveChanges;
  readonly accounts: AccountStore;
  readonly audit: AuditLog;
  readonly webhooks: Webhooks;
  readonly limits: RateLimits;
}
