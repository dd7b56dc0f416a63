import { Slots } from '../../../shared/domain/slots.ts';
import {
  deliveryMethod,
  firmwareState,
  maxPackageUriBytes,
  updateFailure,
  updateResult,
} from '../../../shared/protocols/firmware-update.ts';
import { codeText } from '../../../shared/protocols/coap-message.ts';
import { CoapRefusal } from '../../coap/block-transfer.ts';
import type { CoapSocket } from '../../coap/coap-socket.ts';
import type { Complaints } from '../complaints.ts';
import type { Job } from '../plans/rollout-engine.ts';
import type { CloudParts } from '../types.ts';
import { packageContent } from './coap-artifacts.ts';
import type { SignalsReport } from '../store/device-signals.ts';
import { FirmwareObject, isAway, readFirmwareVersion, watchSignals } from './firmware-object.ts';
import type { PackageUri } from './package-uris.ts';
import type { DeviceObjects, Registration } from './registrations.ts';

/** Devices that are given a package at the same time: more would only wait for each other's blocks. */
const deliveriesAtOnce = 1000;
const resetAttempts = 5;

/** How patient the cloud is with a device. */
export interface Lwm2mTimes {
  /** How often a device is asked in the middle of a job when it says nothing by itself, in milliseconds. */
  readonly pollMs: number;
  /** How long a delivery may make no progress before the attempt fails, in milliseconds. */
  readonly stallMs: number;
  /** How long a device that answers may take from Update to a result, in milliseconds. */
  readonly updateMs: number;
}

/** How devices are led through an update. */
export interface DriverSettings extends Lwm2mTimes {
  /** Addresses at which a device can fetch the artifact of its job, the best way first. */
  readonly packageUris: (registration: Registration, job: Job) => readonly PackageUri[];
  /** What proves success: that the device reports the target version, or its Update Result alone. */
  readonly proof: 'version' | 'result';
}

/** The attempt has failed, with the code to report. */
class AttemptFailed extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`the attempt failed: ${code}`);
    this.code = code;
  }
}

/** The job was closed meanwhile. */
class JobOver extends Error {}

/**
 * Leads registered devices through their jobs by Object 5 (or 33629): package by pull or push,
 * Update, and the result, which survives the device's reboot. What was begun is taken up where the
 * device's own State and Package URI say it is, so a restart of either side repeats nothing.
 * Source: OMA LwM2M TS 1.0.2, E.6.
 */
export class FirmwareDriver {
  readonly #parts: CloudParts;
  readonly #socket: CoapSocket;
  readonly #settings: DriverSettings;
  readonly #complaints: Complaints;
  readonly #objects = new WeakMap<DeviceObjects, readonly FirmwareObject[]>();
  readonly #atWork = new Map<Registration, { again: boolean }>();
  readonly #deliveries = new Slots(deliveriesAtOnce);
  /** Job to when its download last moved. */
  readonly #movedMs = new Map<number, number>();

  constructor(
    parts: CloudParts,
    socket: CoapSocket,
    settings: DriverSettings,
    complaints: Complaints,
  ) {
    this.#parts = parts;
    this.#socket = socket;
    this.#settings = settings;
    this.#complaints = complaints;
  }

  /** The download of a job moves: it is not stalled, however silent the device is. */
  moved(actionId: number): void {
    if (this.#movedMs.has(actionId)) this.#movedMs.set(actionId, performance.now());
  }

  /** Does what there is to do for a device; once at a time, and once more when asked meanwhile. */
  async serve(registration: Registration): Promise<void> {
    const working = this.#atWork.get(registration);
    if (working) {
      working.again = true;
      return;
    }
    const work = { again: true };
    this.#atWork.set(registration, work);
    try {
      while (work.again && !registration.ended.signal.aborted) {
        work.again = false;
        await this.#serveOnce(registration);
      }
    } catch (error) {
      if (!isAway(error, registration))
        this.#complaints.about(registration.deviceId, (error as Error).message);
    } finally {
      this.#atWork.delete(registration);
    }
  }

  async #serveOnce(registration: Registration): Promise<void> {
    const objects = await this.#open(registration);
    const { engine, consents } = this.#parts;
    for (;;) {
      const job = await engine.offer(registration.deviceId);
      // LwM2M has no question for a user; who asks by the operator API sees that the plan has arrived.
      if (!job) return void (await consents.invitation(registration.deviceId));
      if (!(await this.#carryOut(registration, objects, job))) return;
    }
  }

  async #open(registration: Registration): Promise<readonly FirmwareObject[]> {
    const listed = registration.objects;
    const known = this.#objects.get(listed);
    if (known) return known;
    const objects = listed.firmware.map(
      (path) => new FirmwareObject(this.#socket, registration, path),
    );
    for (const object of objects) await object.open();
    await this.#reportVersions(registration, objects);
    await watchSignals(this.#socket, registration, (report) =>
      this.#takeSignals(registration, report),
    );
    // Only now: a device that fell silent in between is asked again when it is heard.
    this.#objects.set(listed, objects);
    return objects;
  }

  #takeSignals({ deviceId }: Registration, report: SignalsReport): void {
    this.#parts.consents
      .reportSignals(deviceId, report)
      .catch((error: Error) => this.#complaints.about(deviceId, error.message));
  }

  /** Object 33629 names its components; the Device object speaks of the only component of the device. */
  async #reportVersions(
    registration: Registration,
    objects: readonly FirmwareObject[],
  ): Promise<void> {
    const { deviceId } = registration;
    const versions: Record<string, string> = {};
    for (const { abilities } of objects)
      if (abilities.componentName && abilities.currentVersion)
        versions[abilities.componentName] = abilities.currentVersion;
    const [componentId, ...others] = Object.keys(this.#parts.devices.versions(deviceId));
    if (Object.keys(versions).length === 0 && componentId && others.length === 0) {
      const version = await readFirmwareVersion(this.#socket, registration);
      if (version) versions[componentId] = version;
    }
    if (Object.keys(versions).length > 0)
      await this.#parts.engine.reportVersions(deviceId, versions, 'lwm2m');
  }

  /** False when the job may not begin now. */
  async #carryOut(
    registration: Registration,
    objects: readonly FirmwareObject[],
    job: Job,
  ): Promise<boolean> {
    const { deviceId } = registration;
    const { engine } = this.#parts;
    const begun = await engine.begin(deviceId, job.actionId);
    if (typeof begun === 'string') return begun === 'gone';
    this.#movedMs.set(job.actionId, performance.now());
    try {
      const object = objects.find(
        ({ abilities, isAdvanced }) => !isAdvanced || abilities.componentName === job.componentId,
      );
      if (!object) throw new AttemptFailed('no-firmware-object');
      if (!engine.isInstalling(job.actionId)) {
        await this.#deliveries.hold(1, () => this.#deliver(registration, object, job));
        // Told before it is done: after a crash in between, the device's State says whether it was.
        await this.#progress(deviceId, job, 'upgrading', 0);
      }
      if (object.status.state === firmwareState.downloaded && isInitial(object))
        await refusedAs('update-refused', object.update());
      await this.#conclude(registration, object, job);
    } catch (error) {
      if (error instanceof JobOver) return true;
      if (!(error instanceof AttemptFailed)) throw error;
      await engine.report(deviceId, job.actionId, { kind: 'failed', code: error.code });
    } finally {
      this.#movedMs.delete(job.actionId);
    }
    return true;
  }

  /** Brings the package onto the device, unless it has it or is getting it already. */
  async #deliver(registration: Registration, object: FirmwareObject, job: Job): Promise<void> {
    const { deviceId } = registration;
    const uri = this.#pullUri(registration, object, job);
    if (!(await this.#isUnderWay(object, uri))) {
      await this.#bringToIdle(object);
      await this.#progress(deviceId, job, 'downloading', 0);
      await (uri === null ? this.#push(deviceId, object, job) : this.#pull(object, uri));
    }
    await this.#wait(
      object,
      job,
      ['download-stalled', this.#settings.stallMs],
      ({ state, result }) => {
        const failure = updateFailure(result);
        if (failure) throw new AttemptFailed(failure);
        // Some go on to the update by themselves (resource 14), or are through with it already.
        return state >= firmwareState.downloaded || result === updateResult.success;
      },
    );
    await this.#progress(deviceId, job, 'downloadSucceeded', 1);
  }

  /** The address to pull from, by the best way that the device knows; null when it takes pushes only. */
  #pullUri(registration: Registration, object: FirmwareObject, job: Job): string | null {
    const { delivery, protocols } = object.abilities;
    if (delivery === deliveryMethod.push) return null;
    const way = this.#settings
      .packageUris(registration, job)
      .find(({ protocol }) => protocols.includes(protocol));
    const uri = way?.uri;
    const takesPush = delivery === deliveryMethod.both;
    // What can be pushed through the session does not go in the clear.
    if (takesPush && registration.isSecure && !way?.isProtected) return null;
    if (uri && Buffer.byteLength(uri) <= maxPackageUriBytes) return uri;
    if (takesPush) return null;
    throw new AttemptFailed(uri ? 'address-too-long' : 'no-common-protocol');
  }

  async #isUnderWay(object: FirmwareObject, uri: string | null): Promise<boolean> {
    const { state, result } = object.status;
    if (state !== firmwareState.downloading && state !== firmwareState.downloaded) return false;
    return result === updateResult.initial && uri !== null && (await object.readUri()) === uri;
  }

  /** A device may come back with what an earlier campaign left: it begins from Idle with result 0. */
  async #bringToIdle(object: FirmwareObject): Promise<void> {
    for (let attempt = 0; attempt < resetAttempts; attempt++) {
      const { state, result } = object.status;
      if (state === firmwareState.idle && result === updateResult.initial) return;
      await refusedAs('reset-refused', object.reset());
    }
    throw new AttemptFailed('not-idle');
  }

  async #pull(object: FirmwareObject, uri: string): Promise<void> {
    try {
      await object.writeUri(uri);
    } catch (error) {
      if (!(error instanceof CoapRefusal)) throw error;
      await object.refresh();
      throw new AttemptFailed(
        updateFailure(object.status.result) ?? `uri-refused-${codeText(error.code)}`,
      );
    }
  }

  async #push(deviceId: string, object: FirmwareObject, job: Job): Promise<void> {
    const content = packageContent(this.#parts.artifacts, job.pkg);
    let toldShare = 0;
    const onBytes = (sentBytes: number): void => {
      this.moved(job.actionId);
      const share = sentBytes / content.sizeBytes;
      if (share - toldShare < 0.1) return;
      toldShare = share;
      // That the job is over is heard at the next step as well.
      this.#progress(deviceId, job, 'downloading', share).catch(() => undefined);
    };
    await refusedAs('push-refused', object.push(content, onBytes));
  }

  /** Waits for the result of the update, which may come in this registration or in the next one. */
  async #conclude(registration: Registration, object: FirmwareObject, job: Job): Promise<void> {
    const { deviceId } = registration;
    const { engine } = this.#parts;
    await this.#wait(
      object,
      job,
      ['no-update-result', this.#settings.updateMs],
      ({ state, result }) => {
        const failure = updateFailure(result);
        if (failure) throw new AttemptFailed(failure);
        return state === firmwareState.idle && result === updateResult.success;
      },
    );
    const version = await this.#versionNow(registration, object, job);
    const { targetVersion } = job.pkg;
    if (version !== targetVersion && this.#settings.proof === 'version')
      throw new AttemptFailed(version === null ? 'version-not-reported' : 'version-mismatch');
    const success = { kind: 'succeeded', version: targetVersion, protocol: 'lwm2m' } as const;
    await engine.report(deviceId, job.actionId, success);
  }

  /** What the device says it runs now; the target version when any of its resources says that. */
  async #versionNow(
    registration: Registration,
    object: FirmwareObject,
    job: Job,
  ): Promise<string | null> {
    await object.readAbilities();
    const { currentVersion, packageVersion } = object.abilities;
    const told = object.isAdvanced
      ? [currentVersion]
      : [await readFirmwareVersion(this.#socket, registration), packageVersion];
    const versions = told.filter((version) => version !== null && version !== '');
    return versions.find((version) => version === job.pkg.targetVersion) ?? versions[0] ?? null;
  }

  /** Waits until the status is as wanted; a device that makes no progress for too long has failed. */
  async #wait(
    object: FirmwareObject,
    job: Job,
    [stalledCode, stallMs]: readonly [string, number],
    isDone: (status: FirmwareObject['status']) => boolean,
  ): Promise<void> {
    const { pollMs } = this.#settings;
    this.moved(job.actionId);
    while (!isDone(object.status)) {
      if (await object.changed(pollMs)) {
        this.moved(job.actionId);
        continue;
      }
      if (this.#parts.engine.isOver(job.actionId)) throw new JobOver();
      await object.refresh();
      const movedMs = this.#movedMs.get(job.actionId) ?? 0;
      if (!isDone(object.status) && performance.now() - movedMs > stallMs)
        throw new AttemptFailed(stalledCode);
    }
  }

  async #progress(
    deviceId: string,
    job: Job,
    state: 'downloading' | 'downloadSucceeded' | 'upgrading',
    progress: number,
  ): Promise<void> {
    const report = { kind: 'progress', state, progress } as const;
    const outcome = await this.#parts.engine.report(deviceId, job.actionId, report);
    if (outcome !== 'accepted') throw new JobOver();
  }
}

const isInitial = (object: FirmwareObject): boolean =>
  object.status.result === updateResult.initial;

async function refusedAs(code: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof CoapRefusal)) throw error;
    throw new AttemptFailed(`${code}-${codeText(error.code)}`);
  }
}
