import { problem } from '../domain/problem.ts';

const leastBufferBytes = 64;
const mostBufferBytes = 64 * 1024;
/** A buffer takes so much of what is left, so that others find something too. */
const bufferShare = 4;

/** RAM that a decoder may take, and what it has taken, in bytes: a proof runs within what the device has. */
export class DecoderMemory {
  readonly limitBytes: number;
  #takenBytes = 0;
  #mostBytes = 0;

  constructor(limitBytes = Number.POSITIVE_INFINITY) {
    this.limitBytes = limitBytes;
  }

  /** Whether a reader has to take all that it may need at once, as a device does, instead of growing. */
  get isLimited(): boolean {
    return this.limitBytes < Number.POSITIVE_INFINITY;
  }

  /** The most that was taken at a time. */
  get mostBytes(): number {
    return this.#mostBytes;
  }

  /** Counts what is taken. @throws ProblemError `delta-ram` when it is more than the limit */
  take(sizeBytes: number): void {
    this.#takenBytes += sizeBytes;
    this.#mostBytes = Math.max(this.#mostBytes, this.#takenBytes);
    if (this.#takenBytes > this.limitBytes)
      throw problem(
        'delta-ram',
        'The decoder needs more RAM than the device has for it',
        `${this.#takenBytes} bytes of ${this.limitBytes}.`,
        'Choose another format or compression, or publish the full package.',
        'gate',
      );
  }

  /** Counts what is not needed any more. */
  giveBack(sizeBytes: number): void {
    this.#takenBytes -= sizeBytes;
  }

  /** A buffer for pieces, as large as is of use and leaves room for others. @throws ProblemError `delta-ram` */
  buffer(): Uint8Array {
    const share = Math.floor((this.limitBytes - this.#takenBytes) / bufferShare);
    const sizeBytes = Math.min(mostBufferBytes, Math.max(leastBufferBytes, share));
    this.take(sizeBytes);
    return new Uint8Array(sizeBytes);
  }
}
