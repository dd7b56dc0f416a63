/** Contiguous bytes at an address. */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Bytes that two records claim. */
export interface Overlap {
  readonly address: number;
  readonly sizeBytes: number;
  /** Line of the later record of the two (by address). */
  readonly line: number;
  /** Offset of that line in the file. */
  readonly offset: number;
  /** Whether both records say the same bytes. */
  readonly same: boolean;
}

interface Run {
  readonly address: number;
  readonly dataOffset: number;
  readonly line: number;
  readonly offset: number;
  sizeBytes: number;
}

const firstCapacityBytes = 64 * 1024;

/** Gathers address records into merged segments; linear in the data except for one sort. */
export class ImageBuilder {
  readonly #runs: Run[] = [];
  #data = new Uint8Array(firstCapacityBytes);
  #usedBytes = 0;
  #last: Run | undefined;
  /** Whether no record began before the end of the one before it. */
  ascending = true;

  get sizeBytes(): number {
    return this.#usedBytes;
  }

  /** Adds the bytes `from..to` of `source` at `address`. */
  add(
    address: number,
    source: Uint8Array,
    from: number,
    to: number,
    place: { readonly line: number; readonly offset: number },
  ): void {
    const sizeBytes = to - from;
    if (sizeBytes === 0) return;
    if (this.#usedBytes + sizeBytes > this.#data.length) {
      const grown = new Uint8Array(this.#data.length * 2);
      grown.set(this.#data.subarray(0, this.#usedBytes));
      this.#data = grown;
    }
    for (let index = from, at = this.#usedBytes; index < to; index += 1, at += 1) {
      this.#data[at] = source[index] ?? 0;
    }
    const last = this.#last;
    if (last !== undefined && last.address + last.sizeBytes === address) {
      last.sizeBytes += sizeBytes;
    } else {
      if (last !== undefined && address < last.address + last.sizeBytes) this.ascending = false;
      this.#last = { address, dataOffset: this.#usedBytes, sizeBytes, ...place };
      this.#runs.push(this.#last);
    }
    this.#usedBytes += sizeBytes;
  }

  /** Merges everything; the first content of an overlap wins and the overlap is told. */
  finish(): { readonly segments: readonly Segment[]; readonly overlaps: readonly Overlap[] } {
    if (!this.ascending) this.#runs.sort((a, b) => a.address - b.address || a.line - b.line);
    const overlaps: Overlap[] = [];
    const merged = new Uint8Array(this.#usedBytes);
    const segments: { address: number; from: number; to: number }[] = [];
    let used = 0;
    for (const run of this.#runs) {
      const data = this.#data.subarray(run.dataOffset, run.dataOffset + run.sizeBytes);
      const current = segments.at(-1);
      const end = current === undefined ? -1 : current.address + (current.to - current.from);
      if (current === undefined || run.address > end) {
        merged.set(data, used);
        segments.push({ address: run.address, from: used, to: used + data.length });
        used += data.length;
        continue;
      }
      const sharedBytes = Math.min(end - run.address, data.length);
      if (sharedBytes > 0) {
        const at = current.from + (run.address - current.address);
        let same = true;
        for (let index = 0; same && index < sharedBytes; index += 1) {
          same = merged[at + index] === data[index];
        }
        const { address, line, offset } = run;
        overlaps.push({ address, sizeBytes: sharedBytes, line, offset, same });
      }
      merged.set(data.subarray(sharedBytes), used);
      used += data.length - sharedBytes;
      current.to = used;
    }
    return {
      segments: segments.map(({ address, from, to }) => ({
        address,
        bytes: merged.subarray(from, to),
      })),
      overlaps,
    };
  }
}
