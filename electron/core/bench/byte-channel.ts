import { setImmediate as nextTurn } from 'node:timers/promises';
import { problem } from '../../../shared/domain/problem.ts';
import { portLost, type SerialLink } from './serial-link.ts';

/** What a protocol reads and writes: waits with a limit, and tells a lost port and a cancelled run from silence. */
export class ByteChannel {
  /** The port, as it is named to people. */
  readonly path: string;
  readonly link: SerialLink;
  readonly #signal: AbortSignal;
  #chunks: Uint8Array[] = [];
  /** How much of the first chunk is read. */
  #at = 0;
  #wake: (() => void) | null = null;
  #isLost = false;

  constructor(link: SerialLink, path: string, signal: AbortSignal) {
    this.link = link;
    this.path = path;
    this.#signal = signal;
    link.onData((bytes) => {
      this.#chunks.push(Uint8Array.from(bytes));
      this.#wake?.();
    });
    link.onLost(() => {
      this.#isLost = true;
      this.#wake?.();
    });
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** @throws ProblemError `port-lost`; AbortError when the run was cancelled */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    await this.link.write(bytes);
  }

  /** Forgets what was received and not read. */
  clear(): void {
    this.#chunks = [];
    this.#at = 0;
  }

  /** The next byte, or null when none comes in time. @throws ProblemError `port-lost` */
  async byteOrNull(timeoutMs: number): Promise<number | null> {
    if (!(await this.#wait(timeoutMs))) return null;
    const [chunk] = this.#chunks;
    const byte = chunk?.[this.#at++] ?? 0;
    if (chunk && this.#at >= chunk.length) this.#drop();
    return byte;
  }

  /** The next byte. @throws ProblemError `port-lost` | `bootloader-silent` */
  async byte(timeoutMs: number): Promise<number> {
    const byte = await this.byteOrNull(timeoutMs);
    if (byte === null) throw silence(this.path, timeoutMs);
    return byte;
  }

  /** Exactly `count` bytes; the limit is between two arrivals. @throws ProblemError `port-lost` | `bootloader-silent` */
  async bytes(count: number, timeoutMs: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let filled = 0; filled < count; ) {
      const chunk = await this.some(timeoutMs, count - filled);
      if (chunk === null) throw silence(this.path, timeoutMs);
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return bytes;
  }

  /** What has arrived, at least one byte and at most `most`; null when nothing comes in time. @throws ProblemError `port-lost` */
  async some(timeoutMs: number, most = Number.MAX_SAFE_INTEGER): Promise<Uint8Array | null> {
    if (!(await this.#wait(timeoutMs))) return null;
    const rest = this.#chunks[0]?.subarray(this.#at) ?? new Uint8Array();
    if (rest.length > most) {
      this.#at += most;
      return rest.subarray(0, most);
    }
    this.#drop();
    return rest;
  }

  #drop(): void {
    this.#chunks.shift();
    this.#at = 0;
  }

  async #wait(timeoutMs: number): Promise<boolean> {
    if (this.#chunks.length === 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((done) => {
        this.#wake = done;
        timer = setTimeout(done, timeoutMs);
        if (this.#isLost || this.#signal.aborted) done();
      });
      clearTimeout(timer);
      this.#wake = null;
      // A timer that is late runs before what has arrived meanwhile: bytes, or the loss of the port.
      if (this.#chunks.length === 0) await nextTurn();
    }
    if (this.#chunks.length > 0) return true;
    this.#check();
    if (!(await this.link.isPresent())) throw portLost(this.path);
    return false;
  }

  #check(): void {
    this.#signal.throwIfAborted();
    if (this.#isLost) throw portLost(this.path);
  }
}

/** The problem of a board that says nothing when it must. */
export const silence = (path: string, timeoutMs: number) =>
  problem(
    'bootloader-silent',
    'The bootloader is silent',
    `${path}: no byte within ${timeoutMs} ms.`,
    'Reset the board into its bootloader and try again.',
  );
