import type { PlanChange } from '../../../shared/domain/plan.ts';

/** Changes of this long are told together: soon enough for the eye, and few enough for the window. */
const gatherMs = 50;
/** The state of a plan is read at most for so large a share of the time, however many follow it. */
const readingShare = 0.1;
/** More devices than these are told as "many": who shows them reads them again anyway. */
const namedDevices = 500;

type Listener = (change: PlanChange) => void;

interface Followed {
  readonly listeners: Set<Listener>;
  readonly deviceIds: Set<string>;
  sinceMs: number;
  timer: NodeJS.Timeout | null;
  /** When the state was last read, and how long that took, in milliseconds. */
  readAtMs: number;
  tookMs: number;
}

/** Tells whoever follows a plan what changes, numbered and gathered; costs nothing while nobody does. */
export class LiveChanges {
  readonly #read: (planId: string) => PlanChange['progress'];
  readonly #followed = new Map<string, Followed>();
  #seq = 0;

  /** @param read how a plan goes, as committed */
  constructor(read: (planId: string) => PlanChange['progress']) {
    this.#read = read;
  }

  /** Number of the last change that was told. */
  get seq(): number {
    return this.#seq;
  }

  /** Something of a plan, or of a device in it, has changed; may be called before it is committed, within the same turn of the event loop. */
  changed(planId: string, deviceId?: string): void {
    const followed = this.#followed.get(planId);
    if (!followed) return;
    if (deviceId !== undefined && followed.deviceIds.size <= namedDevices)
      followed.deviceIds.add(deviceId);
    if (followed.timer) return;
    const nowMs = performance.now();
    followed.sinceMs = Date.now();
    const restMs = followed.readAtMs + followed.tookMs / readingShare - nowMs;
    followed.timer = setTimeout(() => this.#tell(planId, followed), Math.max(gatherMs, restMs));
  }

  /** Calls the listener for each change from now on; gives what ends that. */
  follow(planId: string, listener: Listener): () => void {
    const followed = this.#followed.get(planId) ?? {
      listeners: new Set(),
      deviceIds: new Set(),
      sinceMs: 0,
      timer: null,
      readAtMs: 0,
      tookMs: 0,
    };
    this.#followed.set(planId, followed);
    followed.listeners.add(listener);
    return () => {
      followed.listeners.delete(listener);
      if (followed.listeners.size > 0) return;
      if (followed.timer) clearTimeout(followed.timer);
      if (this.#followed.get(planId) === followed) this.#followed.delete(planId);
    };
  }

  #tell(planId: string, followed: Followed): void {
    followed.timer = null;
    const startedMs = performance.now();
    const progress = this.#read(planId);
    const ids = [...followed.deviceIds];
    followed.deviceIds.clear();
    const change: PlanChange = {
      seq: ++this.#seq,
      sinceMs: followed.sinceMs,
      deviceIds: ids.length > namedDevices ? null : ids,
      progress,
    };
    for (const listener of followed.listeners) listener(change);
    followed.readAtMs = performance.now();
    followed.tookMs = followed.readAtMs - startedMs;
  }
}
