import { describe, expect, it } from 'vitest';
import { SameBytes } from '../../shared/delta/same-bytes.ts';
import { SeedIndex, SeedSearch } from '../../shared/delta/seed-index.ts';

const noise = (size: number, seed: number): Uint8Array => {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
};

describe('comparing pieces', () => {
  it('counts every byte that agrees, wherever the first difference lies', () => {
    const source = noise(64, 1);
    for (let place = 0; place < 40; place++) {
      const target = source.slice(3);
      if (place < target.length) target[place]! ^= 0x80;
      expect(new SameBytes(source, target).count(3, 0)).toBe(place);
    }
  });

  it('ends with the shorter one, and finds nothing outside of the source', () => {
    const bytes = noise(21, 2);
    const same = new SameBytes(bytes, bytes);
    expect(same.count(0, 0)).toBe(21);
    expect(same.count(19, 19)).toBe(2);
    expect(same.count(-1, 0)).toBe(0);
    expect(same.count(30, 0)).toBe(0);
  });

  it('works on views that begin at odd places of their memory', () => {
    const memory = noise(40, 3);
    expect(new SameBytes(memory.subarray(1, 30), memory.subarray(1, 28)).count(2, 2)).toBe(25);
  });
});

describe('searching seeds', () => {
  it('finds the longest place of a piece, and of equals the one nearest to where it is expected', () => {
    const piece = noise(32, 4);
    const source = new Uint8Array([...noise(50, 5), ...piece.subarray(0, 12), 7]);
    const whole = new Uint8Array([...source, ...piece, ...noise(9, 6), ...piece, 1]);
    const search = new SeedSearch(new SeedIndex(whole), piece);
    expect(search.search(0, 1, 63)).toBe(32);
    expect(search.foundAt).toBe(63);
    expect(search.search(0, 1, 200)).toBe(32);
    expect(search.foundAt).toBe(104);
    expect(search.search(0, 33, 63)).toBe(0);
  });

  it('finds every seed of a source at its own place', () => {
    const source = noise(70_000, 10);
    const index = new SeedIndex(source);
    for (let at = 0; at + 8 <= source.length; at += 7) {
      const search = new SeedSearch(index, source.subarray(at, at + 8));
      expect([search.search(0, 8, at), search.foundAt]).toEqual([8, at]);
    }
  });

  it('indexes of padding only its beginning, and what stands behind it', () => {
    const after = noise(32, 11);
    const source = new Uint8Array([...new Uint8Array(100_000).fill(0xff), ...after]);
    const index = new SeedIndex(source);
    expect(index.entries.length).toBeLessThan(100);
    const target = new Uint8Array([...source.subarray(99_997), 1]);
    expect(new SeedSearch(index, target).search(0, 1, 0)).toBe(35);
  });

  it('leaves out what lies too far before the place', () => {
    const piece = noise(24, 7);
    const source = new Uint8Array([...piece, ...noise(30, 8), ...piece]);
    const target = new Uint8Array([...noise(40, 9), ...piece]);
    const all = new SeedSearch(new SeedIndex(source), target);
    expect([all.search(40, 1, 0), all.foundAt]).toEqual([24, 0]);
    const near = new SeedSearch(new SeedIndex(source), target, -10);
    expect([near.search(40, 1, 0), near.foundAt]).toEqual([24, 54]);
    expect(new SeedSearch(new SeedIndex(source), target, 20).search(40, 1, 0)).toBe(0);
  });

  it('does without a source that holds no seed', () => {
    for (const size of [0, 1, 7])
      expect(new SeedSearch(new SeedIndex(noise(size, 1)), noise(20, 1)).search(0, 1, 0)).toBe(0);
  });
});
