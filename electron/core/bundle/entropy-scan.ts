import type { ContentEntropy } from '../../../shared/domain/finding.ts';

const windowBytes = 16 * 1024;
const leastBytes = 4096;
/** All of the first bytes are counted, and one window of eight behind them. */
const wholeBytes = 4 * 1024 * 1024;
const windowsPerSample = 8;

/** Chi-square of 255 degrees of freedom: 255 on average, six standard deviations either way. */
const randomChiSquare = [120, 400] as const;
/** Bits per byte above which content is compressed; code of microcontrollers has 5 to 7.3. */
const compressedBits = 7.8;

/**
 * Measures how random streamed content is. Each window is judged by itself, since a header or
 * padding does not make ciphertext plain; the windows that look random are judged together too,
 * since only many bytes tell compressed from encrypted content.
 */
export class EntropyScan {
  readonly #window = new Uint32Array(256);
  readonly #all = new Uint32Array(256);
  readonly #random = new Uint32Array(256);
  #offset = 0;
  #windows = 0;
  #randomWindows = 0;

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const into = this.#offset % windowBytes;
      const end = Math.min(bytes.length, at + windowBytes - into);
      const isSampled =
        this.#offset < wholeBytes ||
        Math.floor(this.#offset / windowBytes) % windowsPerSample === 0;
      if (isSampled)
        for (let index = at; index < end; index += 1) count(this.#window, bytes[index]);
      this.#offset += end - at;
      at = end;
      if (isSampled && this.#offset % windowBytes === 0) this.#endWindow(windowBytes);
    }
  }

  /** Ends one piece of content; its measure, or null when there was too little. */
  endPiece(): ContentEntropy | null {
    const rest = this.#offset % windowBytes;
    if (rest >= leastBytes) this.#endWindow(rest);
    const measured = this.#windows > 0 ? this.#measure() : null;
    for (const counts of [this.#window, this.#all, this.#random]) counts.fill(0);
    this.#offset = 0;
    this.#windows = 0;
    this.#randomWindows = 0;
    return measured;
  }

  #measure(): ContentEntropy {
    const isRandom = this.#randomWindows >= 0.9 * this.#windows;
    const chiSquare = chiSquareOf(isRandom ? this.#random : this.#all);
    const bitsPerByte = bitsOf(this.#all);
    const isCompressed = bitsPerByte > compressedBits;
    const kind =
      isRandom && looksRandom(chiSquare) ? 'random' : isCompressed ? 'compressed' : 'plain';
    return { kind, bitsPerByte: round(bitsPerByte), chiSquare: Math.round(chiSquare) };
  }

  #endWindow(sizeBytes: number): void {
    const window = this.#window;
    // Padding says nothing about the rest.
    if (Math.max(window[0] ?? 0, window[0xff] ?? 0) < sizeBytes / 2) {
      this.#windows += 1;
      const isRandom = looksRandom(chiSquareOf(window));
      if (isRandom) this.#randomWindows += 1;
      for (let value = 0; value < 256; value += 1) {
        this.#all[value] = (this.#all[value] ?? 0) + (window[value] ?? 0);
        if (isRandom) this.#random[value] = (this.#random[value] ?? 0) + (window[value] ?? 0);
      }
    }
    window.fill(0);
  }
}

function count(counts: Uint32Array, value: number | undefined): void {
  counts[value as number] = (counts[value as number] as number) + 1;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

function looksRandom(chiSquare: number): boolean {
  return chiSquare > randomChiSquare[0] && chiSquare < randomChiSquare[1];
}

function chiSquareOf(counts: Uint32Array): number {
  const expected = sumOf(counts) / 256;
  return counts.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
}

/** Shannon's entropy in bits per byte. */
function bitsOf(counts: Uint32Array): number {
  const total = sumOf(counts);
  return counts.reduce((bits, found) => {
    return found === 0 ? bits : bits - (found / total) * Math.log2(found / total);
  }, 0);
}

function sumOf(counts: Uint32Array): number {
  return counts.reduce((sum, found) => sum + found, 0);
}
