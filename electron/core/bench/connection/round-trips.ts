import type { LinkOptions, SerialLink } from '../serial-link.ts';

const bits = { usual: 10, withParity: 11 } as const;
const mostTrips = 2000;

/** Measures how long answers take beside their time on the wire. */
export class RoundTrips {
  readonly #trips: number[] = [];

  /** Watches a link that was opened with `options`. */
  watch(link: SerialLink, options: LinkOptions): SerialLink {
    let line = options;
    let asked: { readonly atMs: number; readonly bytes: number } | null = null;
    link.onData((bytes) => {
      if (!asked || this.#trips.length >= mostTrips) return;
      const bitsPerByte = line.parity === 'none' ? bits.usual : bits.withParity;
      const wireMs = ((asked.bytes + bytes.length) * bitsPerByte * 1000) / line.baudRate;
      this.#trips.push(Math.max(0, performance.now() - asked.atMs - wireMs));
      asked = null;
    });
    return {
      ...link,
      write: (bytes) => {
        asked = { atMs: performance.now(), bytes: bytes.length };
        return link.write(bytes);
      },
      setLine: (wanted) => {
        line = wanted;
        return link.setLine(wanted);
      },
    };
  }

  /** The lower quartile, since the device itself takes time over some requests; null before eight answers. */
  get usualMs(): number | null {
    if (this.#trips.length < 8) return null;
    const sorted = this.#trips.toSorted((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 4)] ?? null;
  }
}
