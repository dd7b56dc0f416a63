import { ProblemError } from '../../../shared/domain/problem.ts';
import { patchBeginning } from '../../../shared/delta/patch-head.ts';
import { versionOf } from '../../../shared/domain/scope.ts';
import { type Artifact, type Downloader, InstallFailure } from './downloader.ts';
import type { FleetConfig } from './fleet-config.ts';
import type { ImageStore } from './image-store.ts';
import { SimulatedSignals } from './simulated-signals.ts';
import type { Slots } from '../../../shared/domain/slots.ts';

const progressPeriodMs = 2_000;

/** What a cloud asks a device to do, whatever protocol it came over. */
export interface DeviceJob extends Artifact {
  /** The cloud's number for this attempt. */
  readonly actionId: string;
  readonly componentId: string;
  readonly packageType: 'full' | 'delta';
  readonly sourceVersion: string | null;
  readonly targetVersion: string;
  /** SHA-256 of the image that a delta rebuilds, when the cloud tells it. */
  readonly targetSha256: string | null;
}

/** How a job ended on the device. */
export type Outcome =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly code: string };

export type JobStep = 'DOWNLOADING' | 'DOWNLOADED' | 'VERIFIED' | 'UPDATING';
/** Tells the cloud how far the job is; `progress` is 0..1 within the step. */
export type TellStep = (step: JobStep, progress: number) => Promise<void>;

const never = new Promise<never>(() => undefined);

/** What the devices of a fleet share. */
export interface FleetTools {
  readonly downloader: Downloader;
  readonly images: ImageStore;
  /** Bytes of downloads that are held in memory. */
  readonly memory: Slots;
}

/** The device proper: what it runs, and how it takes an update. */
export class SimulatedDevice {
  readonly id: string;
  readonly secret: string;
  readonly #fault: FleetConfig['devices'][number]['fault'];
  readonly signals: SimulatedSignals;
  readonly #tools: FleetTools;
  readonly #versions: Record<string, string>;
  /** Component id to the SHA-256 of the image it holds. */
  readonly #images = new Map<string, string>();
  readonly #outcomes = new Map<string, Outcome>();
  #lastOutcome: Outcome | null = null;

  constructor(config: FleetConfig['devices'][number], tools: FleetTools) {
    this.id = config.id;
    this.secret = config.secret;
    this.#fault = config.fault;
    this.signals = new SimulatedSignals(config);
    this.#tools = tools;
    this.#versions = { ...config.versions };
    for (const [componentId, version] of Object.entries(config.versions)) {
      const sha256 = tools.images.released(componentId, version);
      if (sha256) this.#images.set(componentId, sha256);
    }
  }

  get versions(): Readonly<Record<string, string>> {
    return this.#versions;
  }

  /** Whether the bytes that it runs are at hand, so that a delta can be applied. */
  get holdsImage(): boolean {
    return [...this.#images.values()].some((sha256) => this.#tools.images.has(sha256));
  }

  /** Whether it takes jobs and is not heard from again. */
  get isSilent(): boolean {
    return this.#fault === 'silent';
  }

  /** How the job that it did last ended, or null before the first. */
  get lastOutcome(): Outcome | null {
    return this.#lastOutcome;
  }

  /** Does a job, or gives the outcome it had when the same job comes again. */
  async carryOut(job: DeviceJob, tell: TellStep): Promise<Outcome> {
    const known = this.#outcomes.get(job.actionId);
    if (known) return known;
    const outcome = await this.#install(job, tell);
    this.#outcomes.set(job.actionId, outcome);
    this.#lastOutcome = outcome;
    return outcome;
  }

  /**
   * Installs a package that came without a job, as LwM2M brings it; false when it cannot be. Without
   * a version the device goes on to say the one it had. `bytes` are there when they may be a delta.
   */
  async installUnnamed(
    version: string | null,
    sha256: string,
    bytes: Buffer | null,
  ): Promise<boolean> {
    const [componentId] = Object.keys(this.#versions);
    if (componentId === undefined) return false;
    if (this.#fault === 'fail') {
      this.#lastOutcome = { ok: false, code: 'simulated-fault' };
      return false;
    }
    try {
      const image = bytes && (await this.#patched(componentId, sha256, bytes));
      this.#images.set(componentId, image ?? sha256);
      if (version !== null) this.#versions[componentId] = version;
      this.#lastOutcome = { ok: true, version: this.#versions[componentId] ?? '' };
      return true;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.#lastOutcome = { ok: false, code: error.problem.code };
      return false;
    }
  }

  /** SHA-256 of what a patch rebuilds; null when the bytes are an image, or there is no source to rebuild it from. */
  async #patched(componentId: string, sha256: string, bytes: Buffer): Promise<string | null> {
    const source = this.#images.get(componentId);
    if (source === undefined || !this.#tools.images.has(source)) return null;
    try {
      return await this.#tools.images.patch(source, sha256, bytes);
    } catch (error) {
      // An image may begin as a detools patch does; it then fails to rebuild anything.
      if (error instanceof ProblemError && patchBeginning(bytes) === 'maybe') return null;
      throw error;
    }
  }

  async #install(job: DeviceJob, tell: TellStep): Promise<Outcome> {
    const current = versionOf(this.#versions, job.componentId);
    if (job.packageType === 'delta' && current !== job.sourceVersion)
      return { ok: false, code: 'source-version' };
    await tell('DOWNLOADING', 0);
    if (this.#fault === 'silent') return never;
    if (this.#fault === 'fail') return { ok: false, code: 'simulated-fault' };
    try {
      const isFull = job.packageType === 'full';
      const image = await (isFull ? this.#takeFull(job, tell) : this.#takeDelta(job, tell));
      if (image === null) this.#images.delete(job.componentId);
      else this.#images.set(job.componentId, image);
      this.#versions[job.componentId] = job.targetVersion;
      return { ok: true, version: job.targetVersion };
    } catch (error) {
      if (error instanceof InstallFailure) return { ok: false, code: error.code };
      if (error instanceof ProblemError) return { ok: false, code: error.problem.code };
      throw error;
    }
  }

  /** SHA-256 of the image; one device of the fleet keeps its bytes, as the source of a delta to come. */
  async #takeFull(job: DeviceJob, tell: TellStep): Promise<string> {
    const { images } = this.#tools;
    const keep = images.claim(job.sha256, job.sizeBytes);
    try {
      const bytes = await this.#download(job, keep, tell);
      if (bytes) images.keep(job.sha256, bytes);
      return job.sha256;
    } finally {
      if (keep) images.unclaim(job.sha256);
    }
  }

  /** SHA-256 of the rebuilt image; null when the source is not at hand and only the patch could be checked. */
  async #takeDelta(job: DeviceJob, tell: TellStep): Promise<string | null> {
    const { images, memory } = this.#tools;
    const source = this.#sourceImage(job);
    const isDone = (): boolean => source === null || images.isPatched(source, job.sha256);
    // Looked at again when its turn has come: another device may have applied the patch meanwhile.
    const bytes = isDone()
      ? await this.#download(job, false, tell)
      : await memory.hold(job.sizeBytes, () => this.#download(job, !isDone(), tell));
    if (source === null) return null;
    const rebuilt = await images.patch(source, job.sha256, bytes);
    if (job.targetSha256 !== null && rebuilt !== job.targetSha256)
      throw new InstallFailure('image-mismatch');
    return rebuilt;
  }

  async #download(job: DeviceJob, keep: boolean, tell: TellStep): Promise<Buffer | null> {
    let nextTellMs = performance.now() + progressPeriodMs;
    const onBytes = (receivedBytes: number): void => {
      if (performance.now() < nextTellMs) return;
      nextTellMs = performance.now() + progressPeriodMs;
      // That the job is over is heard at the next step as well.
      tell('DOWNLOADING', receivedBytes / job.sizeBytes).catch(() => undefined);
    };
    const { downloader } = this.#tools;
    const { sha256, bytes } = await downloader.fetch(job, this.secret, { keep, onBytes });
    await tell('DOWNLOADED', 1);
    if (sha256 !== job.sha256) throw new InstallFailure('hash-mismatch');
    await tell('VERIFIED', 1);
    await tell('UPDATING', 0);
    return bytes;
  }

  #sourceImage(job: DeviceJob): string | null {
    const sha256 = this.#images.get(job.componentId);
    return sha256 && this.#tools.images.has(sha256) ? sha256 : null;
  }
}
