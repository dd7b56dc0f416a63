import { join } from 'node:path';
import { problem } from '../../shared/domain/problem.ts';
import type { Clock } from './clock.ts';
import { ConsentStore } from './plans/consent-store.ts';
import { ConsentService } from './plans/consent.ts';
import { DeviceLog } from './plans/device-log.ts';
import { HeldDevices } from './plans/held-devices.ts';
import { LiveChanges } from './plans/live-changes.ts';
import { PlanHistory } from './plans/history.ts';
import { PlanCalendar } from './plans/plan-calendar.ts';
import { PlanDrafts } from './plans/plan-drafts.ts';
import { PlanService } from './plans/plan-service.ts';
import { Readiness } from './plans/readiness.ts';
import { RolloutEngine } from './plans/rollout-engine.ts';
import { RolloutGuard } from './plans/rollout-guard.ts';
import { RolloutStore } from './plans/rollout-store.ts';
import { RateLimits } from './rate-limits.ts';
import { AccountStore } from './store/accounts.ts';
import { ArtifactStore } from './store/artifact-store.ts';
import { AuditLog } from './store/audit-log.ts';
import { CloudDatabase } from './store/database.ts';
import { SignalStore } from './store/device-signals.ts';
import { DeviceStore } from './store/devices.ts';
import { PackageStore } from './store/packages.ts';
import { Retention } from './store/retention.ts';
import { ServedTime } from './store/served-time.ts';
import type { CloudParts } from './types.ts';
import { Webhooks } from './webhooks.ts';

/** Ends something; done in reverse order. */
export type Closer = () => Promise<void> | void;

/** Opens everything that works on the database and the artifacts of a folder; what has to be closed later is added to `closers`. */
export async function openParts(
  cloud: {
    readonly db: CloudDatabase;
    readonly dataDir: string;
    readonly token: string;
    readonly clock: Clock;
    readonly keepDays: number;
  },
  closers: Closer[],
): Promise<CloudParts> {
  const { db, dataDir, token, clock, keepDays } = cloud;
  const served = new ServedTime(db, clock);
  const devices = new DeviceStore(db, served);
  closers.push(() => devices.close());
  const artifacts = await ArtifactStore.open(join(dataDir, 'artifacts'));
  const packages = new PackageStore(db, artifacts);
  const history = new PlanHistory(db);
  closers.push(() => history.close());
  const drafts = new PlanDrafts(db);
  const log = new DeviceLog(db, clock, served);
  const guard = new RolloutGuard({ db, clock, served, devices, drafts, log });
  closers.push(() => guard.close());
  const plans = new PlanService({ db, devices, packages, history, drafts, guard, log, clock });
  const rollout = new RolloutStore(db, served, log);
  const changes = new LiveChanges((planId) => plans.progress(planId));
  rollout.onDeviceChanged = (planId, deviceId) => changes.changed(planId, deviceId);
  const signals = new SignalStore(db);
  const store = new ConsentStore(db);
  const common = { db, clock, devices, packages, plans, rollout, history, signals };
  const readiness = new Readiness(common);
  const engine = new RolloutEngine({ ...common, readiness, guard });
  const consents = new ConsentService({ ...common, store, readiness, engine, log });
  const held = new HeldDevices({ ...common, readiness });
  const calendar = new PlanCalendar({ ...common, consents: store, engine });
  await calendar.start();
  closers.push(() => calendar.close());
  await history.catchUp();
  const retention = new Retention({ db, packages, artifacts, clock, keepDays });
  retention.start();
  closers.push(() => retention.close());
  const accounts = new AccountStore(db, token);
  const webhooks = new Webhooks(db, plans);
  closers.push(() => webhooks.close());
  const rooms = { devices, signals, packages, artifacts, plans, rollout, history, engine };
  const more = { guard, log, consents, held, changes, accounts, webhooks };
  return { ...rooms, ...more, audit: new AuditLog(db), limits: new RateLimits() };
}

/** @throws ProblemError `database-unusable` */
export function openDatabase(path: string): CloudDatabase {
  try {
    return new CloudDatabase(path);
  } catch (error) {
    throw problem(
      'database-unusable',
      "The cloud's database cannot be opened",
      `${path}: ${(error as Error).message}`,
      'Check the disk and the permissions; restore the folder from a copy, or choose another with --data.',
    );
  }
}
