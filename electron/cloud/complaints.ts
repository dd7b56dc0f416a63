const quietMs = 60_000;
const maxRemembered = 20_000;

/** Says what is wrong on stderr, once per subject and minute, so that a broken device cannot flood the log. */
export class Complaints {
  readonly #saidAtMs = new Map<string, number>();
  readonly #protocol: string;
  readonly #write: (line: string) => void;

  /** @param protocol how the devices that it is about are reached */
  constructor(
    protocol: string,
    write: (line: string) => void = (line) => {
      process.stderr.write(line);
    },
  ) {
    this.#protocol = protocol;
    this.#write = write;
  }

  about(subject: string, text: string): void {
    const nowMs = Date.now();
    const saidAtMs = this.#saidAtMs.get(subject);
    if (saidAtMs !== undefined && nowMs - saidAtMs < quietMs) return;
    if (this.#saidAtMs.size >= maxRemembered) this.#saidAtMs.clear();
    this.#saidAtMs.set(subject, nowMs);
    // A device chooses some of these words, and must not write lines of its own.
    this.#write(`${this.#protocol}: ${subject}: ${text}`.replace(/\p{Cc}/gu, ' ').concat('\n'));
  }
}
