/** So many devices are told at a time: enough to share commits, few enough that others get their turn. */
const concurrency = 256;

/** Tells many devices something, a few at a time; a device that already waits is not told twice. */
export class Announcer {
  readonly #tell: (deviceId: string) => Promise<void>;
  readonly #waiting = new Set<string>();
  #running = 0;

  constructor(tell: (deviceId: string) => Promise<void>) {
    this.#tell = tell;
  }

  add(deviceIds: Iterable<string>): void {
    for (const deviceId of deviceIds) this.#waiting.add(deviceId);
    while (this.#running < concurrency && this.#waiting.size > 0) void this.#next();
  }

  /** Forgets who still waits. */
  clear(): void {
    this.#waiting.clear();
  }

  async #next(): Promise<void> {
    this.#running++;
    for (const deviceId of this.#waiting) {
      this.#waiting.delete(deviceId);
      await this.#tell(deviceId);
    }
    this.#running--;
  }
}
