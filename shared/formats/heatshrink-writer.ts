import { BitWriter } from './bit-writer.ts';

/** Powers of two of heatshrink's window and of its longest match, in bytes. */
export interface HeatshrinkShape {
  readonly windowBits: number;
  readonly lookaheadBits: number;
}

const leastLookaheadBits = 3;
/** Smaller windows are only for decoders that have no more. */
const usualLeastBits = 7;
const literalBits = 9;
const tripleBits = 16;
/** A search that looks at more candidates hardly finds longer matches. */
const mostCandidates = 256;
/** A match as long as this is not searched again. */
const niceBytes = 256;
/** Streams beyond this size choose their shape by samples of them. */
const sampledFromBytes = 2 * 1024 * 1024;
const sampleBytes = 256 * 1024;

/**
 * Compresses with heatshrink (bit format of heatshrink's encoder: a tag bit, then 8 bits of a literal, or distance
 * minus 1 and length minus 1). All matches cost the same, so taking the longest one wherever it ends is optimal.
 */
export function compressHeatshrink(plain: Uint8Array, shape: HeatshrinkShape): Uint8Array {
  const { windowBits, lookaheadBits } = shape;
  const longest = 1 << lookaheadBits;
  const distances = new Uint16Array(plain.length);
  const [lengths = new Uint16Array(0)] = findMatches(plain, [windowBits], longest, distances);
  const costs = new Uint32Array(plain.length + 1);
  sumCosts(lengths, shape, costs);
  const out = new BitWriter();
  for (let at = 0; at < plain.length; ) {
    const length = lengths[at]!;
    if (length === 0 || costs[at]! === literalBits + costs[at + 1]!) {
      out.write(0x100 | plain[at]!, literalBits);
      at++;
    } else {
      out.write(distances[at]! - 1, windowBits + 1);
      out.write(length - 1, lookaheadBits);
      at += length;
    }
  }
  return out.finish();
}

/** The shape within a decoder's window that makes the smallest stream; large streams are judged by samples. */
export function bestHeatshrinkShape(plain: Uint8Array, mostBits: number): HeatshrinkShape {
  const sample = plain.length > sampledFromBytes ? sampleOf(plain) : plain;
  const costs = new Uint32Array(sample.length + 1);
  const first = Math.min(usualLeastBits, mostBits);
  const windows = Array.from({ length: mostBits - first + 1 }, (_, index) => first + index);
  const found = findMatches(sample, windows, 1 << (mostBits - 1), new Uint16Array(sample.length));
  let best: HeatshrinkShape = { windowBits: first, lookaheadBits: leastLookaheadBits };
  let bestBits = Number.POSITIVE_INFINITY;
  for (const [index, windowBits] of windows.entries()) {
    for (let lookaheadBits = leastLookaheadBits; lookaheadBits < windowBits; lookaheadBits++) {
      const bits = sumCosts(found[index]!, { windowBits, lookaheadBits }, costs);
      if (bits >= bestBits) continue;
      bestBits = bits;
      best = { windowBits, lookaheadBits };
    }
  }
  return best;
}

function sampleOf(plain: Uint8Array): Uint8Array {
  const count = sampledFromBytes / sampleBytes;
  const sample = new Uint8Array(sampledFromBytes);
  for (let index = 0; index < count; index++) {
    const start = Math.floor((index * (plain.length - sampleBytes)) / (count - 1));
    sample.set(plain.subarray(start, start + sampleBytes), index * sampleBytes);
  }
  return sample;
}

/** Fills in the bits that each rest of the stream takes, and returns those of the whole. */
function sumCosts(lengths: Uint16Array, shape: HeatshrinkShape, costs: Uint32Array): number {
  const longest = 1 << shape.lookaheadBits;
  const matchBits = 1 + shape.windowBits + shape.lookaheadBits;
  costs[lengths.length] = 0;
  for (let at = lengths.length - 1; at >= 0; at--) {
    const literal = literalBits + costs[at + 1]!;
    const length = Math.min(lengths[at]!, longest);
    const match = length > 0 ? matchBits + costs[at + length]! : literal;
    costs[at] = Math.min(literal, match);
  }
  return costs[0]!;
}

/**
 * Longest match at each position (0 without one of two bytes) for each of some ascending windows, all in one search.
 * `distances` gets those of the largest window.
 */
function findMatches(
  plain: Uint8Array,
  windows: readonly number[],
  longest: number,
  distances: Uint16Array,
): Uint16Array[] {
  const size = plain.length;
  const lengths = windows.map(() => new Uint16Array(size));
  const carried = windows.map(() => 0);
  const largest = windows[windows.length - 1]!;
  // The farthest place of a window is left out: some decoders forbid it.
  const farthest = windows.map((bits) => (1 << bits) - 1);
  const mask = (1 << largest) - 1;
  const pairs = new Int32Array(1 << 16).fill(-1);
  const heads = new Int32Array(1 << tripleBits).fill(-1);
  const previous = new Int32Array(1 << largest);
  const matchFrom = (candidate: number, at: number, known: number, limit: number): number => {
    let length = known;
    while (length < limit && plain[candidate + length] === plain[at + length]) length++;
    return length;
  };
  for (let at = 0; at + 1 < size; at++) {
    const limit = Math.min(longest, size - at);
    const pair = plain[at]! | (plain[at + 1]! << 8);
    const triple = hashTriple(plain, at);
    let best = 1;
    let distance = 0;
    let candidate = heads[triple]!;
    const near = pairs[pair]!;
    let left = mostCandidates;
    for (let index = 0; index < windows.length; index++) {
      const reach = farthest[index]!;
      // A long match goes on at the next place, where it need not be compared again.
      const known = at > 0 ? lengths[index]![at - 1]! - 1 : 0;
      if (known > 1) {
        const length = matchFrom(at - carried[index]!, at, known, limit);
        if (length > best) {
          best = length;
          distance = carried[index]!;
        }
      }
      if (near >= 0 && best < 2 && at - near <= reach) {
        best = matchFrom(near, at, 2, limit);
        distance = at - near;
      }
      for (; left > 0 && candidate >= 0 && at - candidate <= reach; left--) {
        if (best >= niceBytes || best >= limit) break;
        if (plain[candidate + best] === plain[at + best]) {
          const length = matchFrom(candidate, at, 0, limit);
          if (length > best) {
            best = length;
            distance = at - candidate;
          }
        }
        candidate = previous[candidate & mask]!;
      }
      carried[index] = distance;
      if (best > 1) lengths[index]![at] = Math.min(best, limit);
    }
    distances[at] = distance;
    pairs[pair] = at;
    previous[at & mask] = heads[triple]!;
    heads[triple] = at;
  }
  return lengths;
}

/** Three bytes; behind the last of them zeros. */
function hashTriple(plain: Uint8Array, at: number): number {
  const word = plain[at]! | (plain[at + 1]! << 8) | ((plain[at + 2] ?? 0) << 16);
  return Math.imul(word, 0x9e3779b1) >>> (32 - tripleBits);
}
