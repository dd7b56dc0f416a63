import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeBsdiff40 } from '../../shared/delta/bsdiff-writer.ts';
import { findOperations } from '../../shared/delta/operations.ts';
import { applyPatch, readPatch } from '../../shared/delta/patch-reader.ts';
import { Bzip2Writer } from '../../shared/formats/bzip2-writer.ts';

import { problemOf } from '../support/patches.ts';

const bytesOf = (size: number, byte: (at: number) => number): Uint8Array => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = byte(at);
  return bytes;
};
const makeBsdiff40 = (source: Uint8Array, target: Uint8Array): Uint8Array =>
  writeBsdiff40(source, target, findOperations(source, target));
const noise = (at: number): number => (Math.imul(at ^ (at >>> 7), 0x9e3779b1) >>> 13) * 31;

describe('content that makes a plain bsdiff slow', () => {
  const size = 16 * 1024 * 1024;
  /** Of processor time: others may be using the machine. */
  const limitMs = 40_000;
  const timeout = 10 * limitMs;
  const inTime = (source: Uint8Array, target: Uint8Array): Uint8Array => {
    const before = process.cpuUsage();
    const patch = makeBsdiff40(source, target);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(limitMs);
    return patch;
  };
  test.each([
    ['erased flash with changes', () => 0xff, 8192, 0.001],
    ['erased flash with a change every 16 bytes', () => 0xff, 16, 0.01],
    ['zeros with changes', () => 0, 8192, 0.001],
    ['a repeat of 24 bytes with changes', (at: number) => (at % 24) * 9, 4099, 0.01],
  ] as const)('%s', { timeout }, (_name, fill, every, share) => {
    const changed = (salt: number): Uint8Array => {
      const bytes = bytesOf(size, fill);
      for (let at = salt; at < size; at += every) bytes[at] = noise(at + salt);
      return bytes;
    };
    const [source, target] = [changed(3), changed(11)];
    const patch = inTime(source, target);
    expect(patch.length).toBeLessThan(size * share);
    expect(Buffer.compare(applyPatch(source, patch), target)).toBe(0);
  });

  test('encrypted images, which have nothing in common', { timeout }, () => {
    const small = 2 * 1024 * 1024;
    const random = (salt: number): Uint8Array => {
      let state = salt;
      return bytesOf(small, () => (state = (Math.imul(state, 1103515245) + 12345) | 0) >>> 16);
    };
    const [source, target] = [random(1), random(2)];
    const patch = inTime(source, target);
    expect(patch.length).toBeLessThan(small * 1.01);
    expect(Buffer.compare(applyPatch(source, patch), target)).toBe(0);
  });
});

describe('a patch that lies', () => {
  const source = bytesOf(3000, noise);
  const target = bytesOf(3100, (at) => (at % 100 === 0 ? at : noise(at)));
  const patch = makeBsdiff40(source, target);

  test('is an error with an offset, never a crash, a hang or wrong bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(patch.length - 1), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.option(fc.nat(patch.length)),
        (edits, cut) => {
          const damaged = patch.slice(0, cut ?? patch.length);
          for (const [at, flip] of edits)
            if (at < damaged.length) damaged[at] = (damaged[at] ?? 0) ^ flip;
          let rebuilt: Uint8Array = target;
          const failure = problemOf(() => (rebuilt = applyPatch(source, damaged)));
          if (failure) expect(failure.code).toMatch(/^patch-(format|corrupt|unsupported)$/);
          else expect(Buffer.compare(rebuilt, target)).toBe(0);
        },
      ),
      { numRuns: 400 },
    );
  });

  test.each([
    ['a target size beyond reason', 24, [0, 0, 0, 0, 0, 0, 0, 0x40], /offset 24: the target size/],
    ['a negative target size', 24, [1, 0, 0, 0, 0, 0, 0, 0x80], /offset 24/],
    ['a control length beyond the file', 8, [255, 255, 255, 255, 0, 0, 0, 0], /offset 8/],
    ['a negative diff length', 16, [9, 0, 0, 0, 0, 0, 0, 0x80], /offset 8/],
    [
      'a larger target than the streams give',
      24,
      [0, 0, 0, 16, 0, 0, 0, 0],
      /too early|does not fit/,
    ],
  ] as const)('%s', (_name, offset, field, message) => {
    const lying = patch.slice();
    lying.set(field, offset);
    expect(problemOf(() => applyPatch(source, lying))?.detail).toMatch(message);
  });

  test('a control entry that reads far outside the source gives the bytes of bspatch: plain ones', () => {
    const forged = forge(
      [
        [8, 0, -(2 ** 40)],
        [8, 0, 0],
      ],
      bytesOf(16, (at) => at),
      16,
    );
    expect(applyPatch(Uint8Array.of(1), forged)).toEqual(bytesOf(16, (at) => (at === 0 ? 1 : at)));
  });

  test('a bomb costs no memory: it is read piece by piece and ends at the announced size', () => {
    const size = 64 * 1024 * 1024;
    const forged = forge([[0, size, 0]], new Uint8Array(0), size, (writer) => {
      const zeros = new Uint8Array(1024 * 1024);
      for (let at = 0; at < size; at += zeros.length) writer.push(zeros);
    });
    expect(forged.length).toBeLessThan(2000);
    const before = process.memoryUsage().arrayBuffers;
    let done = 0;
    let most = 0;
    for (const piece of readPatch(source, forged)) {
      done += piece.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(done).toBe(size);
    expect(most).toBeLessThan(16 * 1024 * 1024);
  });
});

/** A patch from control entries that no honest tool would write. */
function forge(
  entries: readonly (readonly [number, number, number])[],
  diff: Uint8Array,
  targetSize: number,
  fillExtra: (writer: Bzip2Writer) => void = () => undefined,
): Uint8Array {
  const number = (value: number): Uint8Array => {
    const field = new Uint8Array(8);
    new DataView(field.buffer).setBigUint64(0, BigInt(Math.abs(value)), true);
    if (value < 0) field[7] = 0x80;
    return field;
  };
  const control = new Bzip2Writer();
  for (const entry of entries) for (const value of entry) control.push(number(value));
  const diffWriter = new Bzip2Writer();
  diffWriter.push(diff);
  const extra = new Bzip2Writer();
  fillExtra(extra);
  const [controlBytes, diffBytes] = [control.finish(), diffWriter.finish()];
  return Buffer.concat([
    Buffer.from('BSDIFF40'),
    number(controlBytes.length),
    number(diffBytes.length),
    number(targetSize),
    controlBytes,
    diffBytes,
    extra.finish(),
  ]);
}
