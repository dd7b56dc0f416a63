const longestMatch = 64 * 1024;

/** Bytes as a view of words. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Compares pieces of a source with pieces of a target, four bytes at a time. */
export class SameBytes {
  readonly #source: DataView;
  readonly #target: DataView;

  constructor(source: Uint8Array, target: Uint8Array) {
    this.#source = viewOf(source);
    this.#target = viewOf(target);
  }

  /** How many bytes agree from two places on, at most 64 KiB; none outside of the source. */
  count(sourceStart: number, targetStart: number): number {
    if (sourceStart < 0) return 0;
    const source = this.#source;
    const target = this.#target;
    const limit = Math.min(
      source.byteLength - sourceStart,
      target.byteLength - targetStart,
      longestMatch,
    );
    let size = 0;
    for (; size + 4 <= limit; size += 4) {
      const differing =
        source.getInt32(sourceStart + size, true) ^ target.getInt32(targetStart + size, true);
      // The lowest bit that differs is in the first byte that does.
      if (differing !== 0) return size + ((31 - Math.clz32(differing & -differing)) >> 3);
    }
    while (
      size < limit &&
      source.getInt8(sourceStart + size) === target.getInt8(targetStart + size)
    )
      size++;
    return size;
  }
}
