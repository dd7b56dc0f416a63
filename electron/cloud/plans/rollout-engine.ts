import type { ReportProtocol } from '../../../shared/domain/plan.ts';
import {
  type PackageChoice,
  choosePackage,
  reportedVersion,
  versionOf,
} from '../../../shared/domain/scope.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { DeviceRemoval, DeviceStore } from '../store/devices.ts';
import type { PackageStore, StoredPackage } from '../store/packages.ts';
import { type DeviceReport, advance, failedState } from './component-steps.ts';
import type { PlanHistory } from './history.ts';
import type { PlanService } from './plan-service.ts';
import type { RolloutGuard } from './rollout-guard.ts';
import type { Readiness } from './readiness.ts';
import type { ActionRow, ComponentRow, RolloutStore } from './rollout-store.ts';

/** What a device is asked to do. */
export interface Job {
  readonly actionId: number;
  readonly componentId: string;
  readonly pkg: StoredPackage;
}

/** What became of a report: taken, its job is over, or it is none of this device's jobs. */
export type ReportOutcome = 'accepted' | 'gone' | 'unknown';

/**
 * Carries plans out, device by device, whatever protocol a device speaks. Every change is
 * committed before the caller answers the device; all state is in the database, so a restart
 * continues where the last commit was, with the same job ids.
 */
export class RolloutEngine {
  readonly #db: CloudDatabase;
  readonly #devices: DeviceStore;
  readonly #packages: PackageStore;
  readonly #plans: PlanService;
  readonly #rollout: RolloutStore;
  readonly #history: PlanHistory;
  readonly #guard: RolloutGuard;
  readonly #readiness: Readiness;
  readonly #clock: Clock;
  /** Called when a device may have a next job: after a failed attempt, or for its next component. */
  onJobReady: (deviceId: string) => void = () => undefined;

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly devices: DeviceStore;
    readonly packages: PackageStore;
    readonly plans: PlanService;
    readonly rollout: RolloutStore;
    readonly history: PlanHistory;
    readonly guard: RolloutGuard;
    readonly readiness: Readiness;
    readonly clock: Clock;
  }) {
    this.#db = parts.db;
    this.#devices = parts.devices;
    this.#packages = parts.packages;
    this.#plans = parts.plans;
    this.#rollout = parts.rollout;
    this.#history = parts.history;
    this.#guard = parts.guard;
    this.#readiness = parts.readiness;
    this.#clock = parts.clock;
  }

  /** The job a device has to do now, or null. Asking again gives the same job until it is over. */
  async offer(deviceId: string): Promise<Job | null> {
    const due = this.#readiness.due(deviceId);
    if (!due) return null;
    const live = this.#rollout.liveAction(due.plan_id, deviceId);
    if (live) return live.state === 'open' ? this.jobOf(live) : null;
    return this.#db.write(() => this.#openNext(deviceId));
  }

  /** The job that a device reported as done without saying its version, or null; being told it again makes it say so. */
  unprovenJob(deviceId: string): Job | null {
    const due = this.#readiness.due(deviceId);
    const live = due && this.#rollout.liveAction(due.plan_id, deviceId);
    return live?.state === 'awaitingVersion' ? this.jobOf(live) : null;
  }

  /** What a device is asked to do by an action. */
  jobOf(action: ActionRow): Job {
    return this.#jobOf(action, this.#rollout.componentOf(action).component_id);
  }

  /** Whether the cloud wants to hear what the device runs, or how it is now that this holds it. */
  wantsAttributes(deviceId: string): boolean {
    if (Object.keys(this.#devices.reports(deviceId)).length === 0) return true;
    if (this.#readiness.wantsSignals(deviceId)) return true;
    return this.#rollout
      .unfinishedPlans(deviceId)
      .some((planId) => this.#rollout.liveAction(planId, deviceId)?.state === 'awaitingVersion');
  }

  /** The job that a waiting device will get, or null when it needs none; call inside a write unit. */
  prepare(planId: string, deviceId: string): Job | null {
    while (this.#rollout.rollout(planId, deviceId)?.state === 'notUpgraded') {
      const job = this.#openFor(planId, deviceId);
      if (job !== 'again') return job;
    }
    return null;
  }

  /**
   * The device fetches its job. `withheld` when its plan was suspended before the device began.
   * A device that was told the job before (MQTT) and now acts on it says so with `received`.
   */
  async begin(
    deviceId: string,
    actionId: number,
    received = false,
  ): Promise<Job | 'withheld' | 'gone' | 'unknown'> {
    const action = this.#rollout.action(actionId);
    if (action?.device_id !== deviceId) return 'unknown';
    if (action.state === 'open' && action.begun) return this.jobOf(action);
    return this.#db.write(() => {
      const fresh = this.#rollout.action(actionId);
      if (fresh?.state !== 'open') return 'gone';
      if (!fresh.begun && !this.#mayBegin(fresh, received)) return 'withheld';
      if (!fresh.begun) this.#begin(fresh);
      return this.jobOf(fresh);
    });
  }

  /** What the device reports about a job; repeated and late reports change nothing. */
  async report(deviceId: string, actionId: number, report: DeviceReport): Promise<ReportOutcome> {
    return this.#db.write(() => {
      const action = this.#rollout.action(actionId);
      if (action?.device_id !== deviceId) return 'unknown';
      this.#devices.heard(deviceId);
      if (action.state !== 'open' && action.state !== 'awaitingVersion')
        return report.kind === 'succeeded' && action.state === 'succeeded' ? 'accepted' : 'gone';
      // Nobody agreed: whatever it did, it did not do it for this plan.
      if (this.#readiness.lacksConsent(action)) return 'unknown';
      if (!action.begun) this.#begin(action);
      if (report.kind === 'failed') this.#failAttempt(action, report.code);
      else if (report.kind === 'succeeded') this.#reportedSuccess(action, report);
      else this.#progress(action, report);
      return 'accepted';
    });
  }

  /** What the device runs: the only proof of success, and the disproof of a success it claimed. */
  async reportVersions(
    deviceId: string,
    versions: Readonly<Record<string, string>>,
    protocol: ReportProtocol,
  ): Promise<void> {
    await this.#db.write(() => {
      this.#devices.heard(deviceId);
      this.#devices.report(deviceId, versions, protocol);
      for (const planId of this.#rollout.unfinishedPlans(deviceId)) {
        const action = this.#rollout.liveAction(planId, deviceId);
        if (!action) continue;
        const component = this.#rollout.componentOf(action);
        const version = versionOf(versions, component.component_id);
        if (version === component.to_version) this.#provenByVersion(action, component);
        else if (version !== null && action.state === 'awaitingVersion')
          this.#failAttempt(action, 'version-mismatch');
        else if (version !== null && !action.begun) this.#chooseAnew(action, component, version);
      }
    });
  }

  /**
   * Removes the devices of a batch except those to keep and those that an open plan waits for. What
   * they did in plans stays on record; a removed device that is put again is a new one.
   */
  async removeDevices(query: DeviceRemoval): Promise<{ removed: number }> {
    const ids = await this.#db.write(() => {
      const removable = this.#devices.removable(query);
      for (const deviceId of removable) {
        for (const planId of this.#rollout.unfinishedPlans(deviceId))
          this.failNow(planId, deviceId, 'device-removed');
        this.#devices.markRemoved(deviceId);
      }
      return removable;
    });
    for (const deviceId of ids) this.#devices.secretEnded(deviceId);
    return { removed: ids.length };
  }

  /** Ends a device's part of a plan as failed, whatever it is doing; call inside a write unit. */
  failNow(planId: string, deviceId: string, code: string): void {
    const action = this.#rollout.liveAction(planId, deviceId);
    if (action) {
      const component = this.#rollout.componentOf(action);
      const { state, progress } = component;
      this.#rollout.setAction(action, 'cancelled');
      this.#rollout.setComponent(action, component, failedState(state), progress, code);
    }
    this.#fail(planId, deviceId, code);
  }

  /** The device may have another job, or none any longer: it is told when it can be reached. */
  announce(deviceId: string): void {
    // After the commit of the unit that is running now: the commit ends before the next immediate.
    setImmediate(() => this.onJobReady(deviceId));
  }

  /** Whether the device said that it has the whole artifact; DDI's "proceeding" means something else from then on. */
  hasDownloaded(actionId: number): boolean {
    const state = this.#componentState(actionId);
    return state === 'downloadSucceeded' || state === 'upgrading';
  }

  /** Whether the device was told to install what it downloaded. */
  isInstalling(actionId: number): boolean {
    return this.#componentState(actionId) === 'upgrading';
  }

  /** Whether nothing more is to be done for an action. */
  isOver(actionId: number): boolean {
    return this.#rollout.action(actionId)?.state !== 'open';
  }

  /** Whether an action waits for the consent of the device's user. */
  awaitsConsent(actionId: number): boolean {
    const action = this.#rollout.action(actionId);
    return action !== null && this.#readiness.lacksConsent(action);
  }

  /** The device that an action is for, or null when there is no such action. */
  deviceOf(actionId: number): string | null {
    return this.#rollout.action(actionId)?.device_id ?? null;
  }

  /** The version that an action brings, or null when there is no such action. */
  targetOf(actionId: number): string | null {
    const action = this.#rollout.action(actionId);
    return action && this.#rollout.componentOf(action).to_version;
  }

  #jobOf(action: ActionRow, componentId: string): Job {
    return {
      actionId: action.id,
      componentId,
      pkg: this.#packages.require(action.package_id),
    };
  }

  #componentState(actionId: number): ComponentRow['state'] | null {
    const action = this.#rollout.action(actionId);
    return action && this.#rollout.componentOf(action).state;
  }

  #openNext(deviceId: string): Job | null {
    for (;;) {
      const due = this.#readiness.due(deviceId);
      if (!due) return null;
      const job = this.#openFor(due.plan_id, deviceId);
      if (job !== 'again') return job;
    }
  }

  /** `again` when the device's part of the plan has changed without a job. */
  #openFor(planId: string, deviceId: string): Job | null | 'again' {
    const live = this.#rollout.liveAction(planId, deviceId);
    if (live) return live.state === 'open' ? this.jobOf(live) : null;
    const component = this.#rollout.nextComponent(planId, deviceId);
    if (component) return this.#openAction(planId, deviceId, component) ?? 'again';
    this.#finish(planId, deviceId);
    return 'again';
  }

  /** Null when the component needs no job after all, or none fits; the next round of the loop goes on from there. */
  #openAction(planId: string, deviceId: string, component: ComponentRow): Job | null {
    const at = { plan_id: planId, device_id: deviceId, ordinal: component.ordinal };
    const reports = this.#devices.reports(deviceId);
    const current = reportedVersion({ reports }, component.component_id) ?? component.from_version;
    if (current === component.to_version) {
      const state = component.attempts > 0 ? 'upgradeSucceeded' : 'noUpdateRequired';
      this.#rollout.setComponent(at, component, state, 1);
      return null;
    }
    const choice = this.#choose(planId, component, current);
    if (choice) {
      const action = this.#rollout.openAction(at, component, current, choice);
      return this.#jobOf(action, component.component_id);
    }
    this.#rollout.setComponent(at, component, 'upgradeFailed', component.progress);
    this.#fail(planId, deviceId, 'no-matching-source');
    return null;
  }

  /** The device has not begun and now says what it runs: the next offer names the package for that. */
  #chooseAnew(action: ActionRow, component: ComponentRow, version: string): void {
    if (version === component.from_version) return;
    const choice = this.#choose(action.plan_id, component, version);
    if (choice?.packageId === action.package_id)
      this.#rollout.setChoice(action, version, choice.packageType);
    else this.#rollout.setAction(action, 'cancelled');
  }

  #choose(planId: string, { ordinal }: ComponentRow, current: string | null): PackageChoice | null {
    const plan = this.#plans.draft(planId);
    const planned = plan.components[ordinal];
    return planned ? choosePackage(planned, current, plan) : null;
  }

  /** A device that was told its job may begin it even when it is held by now, unless its user has not agreed. */
  #mayBegin(action: ActionRow, received: boolean): boolean {
    if (received) return !this.#readiness.lacksConsent(action);
    const row = this.#rollout.rollout(action.plan_id, action.device_id);
    return row !== null && this.#readiness.hold(row) === null;
  }

  #begin(action: ActionRow): void {
    const { plan_id, device_id } = action;
    this.#rollout.beginAction(action, this.#clock.nowMs());
    this.#rollout.setComponent(action, this.#rollout.componentOf(action), 'readyToDownload', 0);
    this.#rollout.setDevice(plan_id, device_id, 'upgrading', null);
    this.#plans.markUpgrading(plan_id);
    this.#history.changed(plan_id);
  }

  #progress(action: ActionRow, report: Extract<DeviceReport, { kind: 'progress' }>): void {
    if (action.state !== 'open') return;
    const before = this.#rollout.componentOf(action);
    const after = advance(before, report.state, report.progress);
    if (after.state === before.state && after.progress === before.progress) return;
    this.#rollout.setComponent(action, before, after.state, after.progress);
    this.#rollout.setDevice(action.plan_id, action.device_id, 'upgrading', null);
  }

  #reportedSuccess(action: ActionRow, report: Extract<DeviceReport, { kind: 'succeeded' }>): void {
    const component = this.#rollout.componentOf(action);
    if (report.version === null) {
      if (action.state !== 'open') return;
      this.#rollout.setAction(action, 'awaitingVersion');
      this.#rollout.setComponent(action, component, 'upgrading', 1);
      return;
    }
    const { version, protocol } = report;
    this.#devices.report(action.device_id, { [component.component_id]: version }, protocol);
    if (version === component.to_version) this.#succeed(action, component);
    else this.#failAttempt(action, 'version-mismatch');
  }

  #provenByVersion(action: ActionRow, component: ComponentRow): void {
    if (action.begun || component.attempts > 0) this.#succeed(action, component);
    else this.#close(action, component, 'cancelled', 'noUpdateRequired');
  }

  #succeed(action: ActionRow, component: ComponentRow): void {
    this.#close(action, component, 'succeeded', 'upgradeSucceeded');
  }

  #close(
    action: ActionRow,
    component: ComponentRow,
    state: 'succeeded' | 'cancelled',
    componentState: 'upgradeSucceeded' | 'noUpdateRequired',
  ): void {
    const { plan_id, device_id } = action;
    this.#rollout.setAction(action, state);
    this.#rollout.setComponent(action, component, componentState, 1);
    if (this.#rollout.nextComponent(plan_id, device_id)) this.announce(device_id);
    else this.#finish(plan_id, device_id);
  }

  #failAttempt(action: ActionRow, code: string): void {
    const { plan_id, device_id } = action;
    const component = this.#rollout.componentOf(action);
    this.#rollout.setAction(action, 'failed');
    const { state, progress } = component;
    this.#rollout.setComponent(action, component, failedState(state), progress, code);
    if (component.attempts > this.#plans.draft(plan_id).retries) {
      this.#fail(plan_id, device_id, code);
      return;
    }
    this.#rollout.setDevice(plan_id, device_id, 'upgrading', code);
    this.announce(device_id);
  }

  #fail(planId: string, deviceId: string, code: string): void {
    this.#rollout.setDevice(planId, deviceId, 'failed', code);
    this.#ended(planId, deviceId);
  }

  #finish(planId: string, deviceId: string): void {
    const upgraded = this.#rollout
      .components(planId, deviceId)
      .some((component) => component.state === 'upgradeSucceeded');
    this.#rollout.setDevice(planId, deviceId, upgraded ? 'upgraded' : 'noUpdateRequired', null);
    this.#ended(planId, deviceId);
  }

  /** The device is done with this plan; another one may be waiting for it. */
  #ended(planId: string, deviceId: string): void {
    this.#history.changed(planId);
    this.#plans.endIfFinished(planId);
    this.#guard.changed(planId);
    this.announce(deviceId);
  }
}
