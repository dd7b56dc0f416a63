import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDetoolsHeader } from '../../shared/delta/detools-format.ts';
import {
  deviceWith,
  inPlaceSteps,
  PowerLoss,
  runStep,
  type SegmentMemory,
} from '../../shared/delta/in-place-device.ts';
import { readPatchHead } from '../../shared/delta/patch-head.ts';
import { applyPatch } from '../../shared/delta/patch-reader.ts';
import { deviceCost } from '../../shared/domain/delta-cost.ts';
import { anyPair, firmwareLike, makePatch, problemOf } from '../support/patches.ts';

const choice = { format: 'detools-inplace', compression: 'heatshrink' } as const;
const segmentBytes = 512;
const source = firmwareLike(9000, 0);
const target = Uint8Array.from([
  ...source.subarray(4000),
  ...firmwareLike(700, 3),
  ...source.subarray(0, 4500),
]);

function headerOf(patch: Uint8Array) {
  const header = readDetoolsHeader(patch);
  if (!header) throw new Error('no header');
  return header;
}

function contentOf(memory: SegmentMemory, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  memory.read(0, bytes);
  return bytes;
}

/** A device as the decoder in C is: it starts the patch from its beginning and leaves out the steps that it noted as done. */
function restart(memory: SegmentMemory, patch: Uint8Array, noted: { steps: number }): void {
  let number = 0;
  for (const step of inPlaceSteps(patch, headerOf(patch))) {
    if (number++ < noted.steps) continue;
    runStep(memory, step);
    noted.steps++;
  }
}

test.each([
  ['plenty of memory', 24 * 1024],
  ['hardly any more than the image', 11 * 1024],
])('with %s, power may fail at every erase and every write', (_name, memoryBytes) => {
  const patch = makePatch(source, target, choice, { memoryBytes, segmentBytes });
  const whole = deviceWith(source, headerOf(patch));
  restart(whole, patch, { steps: 0 });
  const actions = whole.erases + whole.writtenBytes / 128;
  for (let action = 1; action <= actions; action++) {
    const memory = deviceWith(source, headerOf(patch));
    const noted = { steps: 0 };
    memory.chunksUntilLoss = action;
    try {
      restart(memory, patch, noted);
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error;
    }
    memory.chunksUntilLoss = Number.POSITIVE_INFINITY;
    restart(memory, patch, noted);
    expect(Buffer.compare(contentOf(memory, target.length), target)).toBe(0);
  }
  expect(actions).toBeGreaterThan(100);
});

test('power that fails again and again only delays it', () => {
  const patch = makePatch(source, target, choice, { memoryBytes: 16 * 1024, segmentBytes });
  const memory = deviceWith(source, headerOf(patch));
  const noted = { steps: 0 };
  let losses = 0;
  for (let isDone = false; !isDone; ) {
    memory.chunksUntilLoss = 6 + (losses % 5);
    try {
      restart(memory, patch, noted);
      isDone = true;
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error;
      losses++;
    }
  }
  expect(losses).toBeGreaterThan(10);
  expect(Buffer.compare(contentOf(memory, target.length), target)).toBe(0);
});

test('the cost model counts the erases that the device does', () => {
  const limits = { memoryBytes: 12 * 1024, segmentBytes };
  const patch = makePatch(source, target, choice, limits);
  const memory = deviceWith(source, headerOf(patch));
  restart(memory, patch, { steps: 0 });
  const cost = deviceCost(readPatchHead(patch), source.length, limits);
  expect(cost.erases).toBe(memory.erases);
  expect(cost.flashBytes).toBe(limits.memoryBytes);
});

test('flash that was not erased is never written', () => {
  const patch = makePatch(source, target, choice, { memoryBytes: 16 * 1024, segmentBytes });
  const memory = deviceWith(source, headerOf(patch));
  expect(() => memory.write(0, Uint8Array.of(1))).toThrow('nothing was erased');
  expect(problemOf(() => memory.erase(64))?.detail).toContain('outside of the memory');
});

test('however little memory is left, each segment finds what it copies', () => {
  fc.assert(
    fc.property(anyPair, fc.integer({ min: 0, max: 6 }), ([from, to], spare) => {
      const segments = Math.ceil(Math.max(from.length, to.length, 1) / 128) + spare;
      const limits = { memoryBytes: segments * 128, segmentBytes: 128 };
      expect(applyPatch(from, makePatch(from, to, choice, limits))).toEqual(to);
    }),
    { numRuns: 200 },
  );
});

test('images that do not fit, or a memory that is no whole segments, are refused', () => {
  for (const memoryBytes of [8192, 12_000])
    expect(
      problemOf(() => makePatch(source, target, choice, { memoryBytes, segmentBytes })),
    ).toMatchObject({ code: 'delta-memory', kind: 'usage' });
  expect(problemOf(() => makePatch(source, target, choice, {}))?.detail).toContain('memory');
});
