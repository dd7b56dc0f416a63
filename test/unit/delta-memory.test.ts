import { describe, expect, test } from 'vitest';
import { DecoderMemory } from '../../shared/delta/decoder-memory.ts';
import { readPatchHead } from '../../shared/delta/patch-head.ts';
import { readPatch } from '../../shared/delta/patch-reader.ts';
import type { DeltaLimits, PatchChoice } from '../../shared/domain/delta.ts';
import { choiceText, deviceCost } from '../../shared/domain/delta-cost.ts';
import { everyChoice, firmwareLike, makePatch, problemOf } from '../support/patches.ts';

const source = firmwareLike(300_000, 0);
const target = Uint8Array.from([
  ...source.subarray(0, 90_000),
  ...firmwareLike(5000, 9).reverse(),
  ...firmwareLike(300_000, 1).subarray(80_000),
]);
const place = { memoryBytes: 512 * 1024, segmentBytes: 4096 };

/** What the device needs, as the cost model says, and what rebuilding within it took. */
function rebuildWithin(patch: Uint8Array, ramBytes: number) {
  const memory = new DecoderMemory(ramBytes);
  const pieces: Uint8Array[] = [];
  for (const piece of readPatch(source, patch, { memory })) pieces.push(Buffer.from(piece));
  return { rebuilt: Buffer.concat(pieces), takenBytes: memory.mostBytes };
}

const ramOf = (patch: Uint8Array, limits: DeltaLimits): number =>
  deviceCost(readPatchHead(patch), source.length, limits).ramBytes;

/** Typed arrays whose memory counts, wherever they are made. */
const kinds = ['Uint8Array', 'Uint16Array', 'Uint32Array', 'Int32Array', 'Float64Array'] as const;

/** Bytes of all typed arrays that the work makes from a length; memory that is given back counts all the same. */
function allocatedBy(work: () => void): number {
  let bytes = 0;
  const kept = kinds.map((kind) => globalThis[kind]);
  for (const [index, kind] of kinds.entries())
    Reflect.set(
      globalThis,
      kind,
      new Proxy(kept[index]!, {
        construct(make, args: unknown[]) {
          const made = Reflect.construct(make, args) as Uint8Array;
          if (typeof args[0] === 'number') bytes += made.byteLength;
          return made;
        },
      }),
    );
  try {
    work();
  } finally {
    for (const [index, kind] of kinds.entries()) Reflect.set(globalThis, kind, kept[index]);
  }
  return bytes;
}

describe.each(everyChoice.map((choice) => ({ name: choiceText(choice), choice })))(
  '$name',
  ({ choice }) => {
    test('is applied within the RAM that the device is said to need', () => {
      const patch = makePatch(source, target, choice, place);
      const ramBytes = ramOf(patch, place);
      const { rebuilt, takenBytes } = rebuildWithin(patch, ramBytes);
      expect(Buffer.compare(rebuilt, target)).toBe(0);
      expect(takenBytes).toBeLessThanOrEqual(ramBytes);
      // Without a limit the buffers are larger, so the limit is what held them down.
      if (choice.compression) expect(takenBytes).toBeLessThan(rebuildWithin(patch, 1e9).takenBytes);
    });

    test('a decoder with less is refused before it makes a byte', () => {
      const patch = makePatch(source, target, choice, place);
      expect(problemOf(() => rebuildWithin(patch, 100))).toMatchObject({
        code: 'delta-ram',
        kind: 'gate',
      });
    });
  },
);

describe('a decoder of a small device', () => {
  const small: readonly (readonly [PatchChoice, number])[] = [
    [{ format: 'detools', compression: 'none' }, 1024],
    [{ format: 'detools', compression: 'crle' }, 1024],
    [{ format: 'detools', compression: 'heatshrink' }, 1500],
    [{ format: 'detools', compression: 'heatshrink' }, 40_000],
    [{ format: 'detools', compression: 'lzma' }, 32_000],
    [{ format: 'hpatchlite', compression: 'none' }, 512],
    [{ format: 'hpatchlite', compression: 'tinyuz' }, 700],
    [{ format: 'hpatchlite', compression: 'tinyuz' }, 5000],
    [{ format: 'hdiffpatch', compression: 'none' }, 6144],
    [{ format: 'hdiffpatch', compression: 'lzma' }, 290_000],
    [{ format: 'vcdiff', compression: null }, 64_000],
  ];
  test.each(small)('%o in %i bytes', (choice, ramBytes) => {
    const patch = makePatch(source, target, choice, { ramBytes });
    expect(ramOf(patch, { ramBytes })).toBeLessThanOrEqual(ramBytes);
    let rebuilt: Uint8Array = new Uint8Array(0);
    const memory = new DecoderMemory(ramBytes);
    const out = Buffer.alloc(target.length);
    const takenBytes = allocatedBy(() => {
      let at = 0;
      for (const piece of readPatch(source, patch, { memory })) {
        out.set(piece, at);
        at += piece.length;
      }
      rebuilt = out.subarray(0, at);
    });
    expect(Buffer.compare(rebuilt, target)).toBe(0);
    // VCDIFF begins its address cache anew with each window.
    const windows = choice.format === 'vcdiff' ? 3136 * Math.ceil(target.length / 20_000) : 0;
    expect(takenBytes).toBeLessThanOrEqual(ramBytes + windows);
    expect(memory.mostBytes).toBeGreaterThan(0);
  });
});
