import type { DeviceLogEntry } from './plan-stages.ts';
import type {
  ActOutcome,
  Device,
  DeviceAct,
  HistoryPoint,
  Plan,
  PlanStatus,
  RolloutDevice,
} from './plan.ts';
import type { VersionPackage } from './product.ts';
import type { ScopePolicy } from './scope.ts';

/** What a cloud can express; the plan editor shows what it cannot. */
export interface CloudCapabilities {
  readonly kind: 'local' | 'hawkbit' | 'quectel';
  readonly manualMode: boolean;
  readonly sourceVersionMatching: boolean;
  readonly endTime: boolean;
  readonly stages: boolean;
  readonly stopRules: boolean;
}

/** Who decided something about a rollout, and why. */
export interface Decision {
  readonly name: string;
  readonly reason: string;
}

/** A decision that is sent to a cloud, which knows by itself who sends it, unless names are typed there. */
export interface DecisionOrder {
  readonly name?: string | undefined;
  readonly reason: string;
}

export interface Page<T> {
  readonly total: number;
  readonly items: readonly T[];
}
export interface DeviceQuery {
  readonly productId: string;
  readonly offset: number;
  readonly limit: number;
  readonly search?: string;
}
export interface RolloutQuery {
  readonly offset: number;
  readonly limit: number;
  readonly state?: string;
  readonly search?: string;
}

/** Where plans are published. Every method throws ProblemError on refusal or when the cloud is unreachable. */
export interface OtaCloud {
  readonly capabilities: CloudCapabilities;
  putProduct(product: { id: string; name: string }): Promise<void>;
  devices(query: DeviceQuery): Promise<Page<Device>>;
  putDevices(
    devices: readonly Device[],
  ): Promise<{ added: number; secrets: Record<string, string> }>;
  /** Uploads the file a device downloads (the image or the patch); idempotent by package id and SHA-256. */
  putPackage(
    pkg: VersionPackage,
    artifact: { path: string; name: string; sizeBytes: number; sha256: string },
  ): Promise<void>;
  publish(plan: Plan, policy: ScopePolicy): Promise<PlanStatus>;
  suspend(planId: string): Promise<PlanStatus>;
  /** `accept` is needed after a stop: it accepts the failures of now. */
  resume(planId: string, accept?: DecisionOrder): Promise<PlanStatus>;
  /** Opens a stage, from 1, before its time or at a hold; one that is open stays so. */
  openStage(planId: string, stage: number, by: DecisionOrder): Promise<PlanStatus>;
  terminate(planId: string): Promise<PlanStatus>;
  status(planId: string): Promise<PlanStatus>;
  actOnDevices(planId: string, deviceIds: readonly string[], act: DeviceAct): Promise<ActOutcome>;
  rolloutDevices(planId: string, query: RolloutQuery): Promise<Page<RolloutDevice>>;
  history(planId: string): Promise<readonly HistoryPoint[]>;
  /** What happened to one device, oldest first. */
  deviceLog(planId: string, deviceId: string): Promise<readonly DeviceLogEntry[]>;
}
