import { setImmediate as nextTurn } from 'node:timers/promises';
import { createInflate } from 'node:zlib';

/** Inflates a stream piece by piece. */
export class Inflater {
  readonly #stream = createInflate();
  #plain: Buffer[] = [];
  #isDamaged = false;
  #taken: () => void = () => undefined;

  constructor() {
    this.#stream.on('data', (bytes: Buffer) => this.#plain.push(bytes));
    this.#stream.on('error', () => {
      this.#isDamaged = true;
      this.#taken();
    });
  }

  /** What this piece makes known of the plain data; null when the stream is damaged. */
  async push(piece: Uint8Array): Promise<Uint8Array | null> {
    if (this.#isDamaged) return null;
    await new Promise<void>((done) => {
      this.#taken = done;
      this.#stream.write(piece, () => done());
    });
    // The stream gives out its last data only after it has taken the piece.
    await nextTurn();
    const plain = Buffer.concat(this.#plain);
    this.#plain = [];
    return this.#isDamaged ? null : plain;
  }
}
