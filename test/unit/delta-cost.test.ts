import { describe, expect, test } from 'vitest';
import { readPatchHead } from '../../shared/delta/patch-head.ts';
import { makePatches } from '../../shared/delta/patch-writer.ts';
import type { DeltaLimits, PatchChoice } from '../../shared/domain/delta.ts';
import { choiceText } from '../../shared/domain/delta-cost.ts';
import {
  advise,
  allowedChoices,
  choicesFor,
  deviceCost,
  encoderLimits,
  objections,
  probabilities,
} from '../../shared/domain/delta-cost.ts';
import { firmwareLike, makePatch, problemOf } from '../support/patches.ts';

const source = firmwareLike(40_000, 0);
const target = firmwareLike(41_000, 1);
const names = (choices: readonly PatchChoice[]): string[] => choices.map(choiceText);

function costOf(choice: PatchChoice, limits: DeltaLimits) {
  const patch = makePatch(source, target, choice, limits);
  return deviceCost(readPatchHead(patch), source.length, limits);
}

describe('what a device with little RAM gets', () => {
  test.each([1500, 4096, 20_000, 86_700, 100_000, 300_000])(
    '%i bytes: every patch fits',
    (ramBytes) => {
      const limits = { ramBytes, memoryBytes: 131_072, segmentBytes: 4096 };
      const formats: DeltaLimits['formats'] = [
        'detools',
        'detools-inplace',
        'hpatchlite',
        'hdiffpatch',
      ];
      const choices = allowedChoices({ ...limits, formats });
      expect(choices.length).toBeGreaterThan(0);
      for (const { choice, patch } of makePatches(source, target, choices, limits)) {
        const cost = deviceCost(readPatchHead(patch), source.length, limits);
        expect(cost.ramBytes).toBeLessThanOrEqual(ramBytes);
        expect(objections(choice, cost, limits)).toEqual([]);
      }
    },
  );

  test('a decoder that cannot be made small enough is left out', () => {
    expect(names(allowedChoices({ formats: ['detools'], ramBytes: 1100 }))).toEqual([
      'detools none',
      'detools crle',
    ]);
    expect(names(allowedChoices({ formats: ['detools'], ramBytes: 8192 }))).toEqual([
      'detools none',
      'detools crle',
      'detools heatshrink',
    ]);
    expect(names(allowedChoices({ formats: ['detools'], ramBytes: 65_536 }))).toContain(
      'detools lzma',
    );
  });

  test('the windows follow the RAM', () => {
    expect(encoderLimits({ ramBytes: 3000 }).heatshrinkWindowBits).toBe(10);
    expect(encoderLimits({ ramBytes: 100_000 }).lzmaDictionaryBytes).toBe(65_536);
    expect(encoderLimits({}).heatshrinkWindowBits).toBe(15);
  });
});

test('literal contexts of four bits are used only where the RAM has room for them beside the dictionary', () => {
  // What a byte of a word is like depends on its place and on the highest bits of the byte before.
  let state = 7;
  const next = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  const table = new Uint8Array(60_000);
  for (let at = 0; at < table.length; at++) {
    const before = (table[at - 1] ?? 0) >> 6;
    table[at] = at % 4 === 0 ? next() : before * (at % 4 === 1 ? 0x35 : 0x57) + (next() % 5);
  }
  const choice = { format: 'detools', compression: 'lzma' } as const;
  const probabilitiesIn = (ramBytes: number): number => {
    const limits = { ramBytes };
    const head = readPatchHead(makePatch(new Uint8Array(0), table, choice, limits));
    expect(deviceCost(head, 0, limits).ramBytes).toBeLessThanOrEqual(ramBytes);
    return head.decoder.lzmaProbabilities ?? 0;
  };
  expect(probabilitiesIn(100_000)).toBe(probabilities(2, 2));
  expect(probabilitiesIn(86_700)).toBeLessThanOrEqual(probabilities(3, 0));
});

test('BSDIFF40 needs source, target and three decoders, and says so when the device has less', () => {
  const limits = { ramBytes: 1_000_000, linkBytesPerSecond: 100 };
  const choice = { format: 'bsdiff', compression: null } as const;
  const cost = costOf(choice, limits);
  expect(cost.ramBytes).toBe(source.length + target.length + 3 * 3_700_000);
  expect(cost.flashBytes).toBe(source.length + target.length + cost.airBytes);
  expect(cost.airSeconds).toBe(cost.airBytes / 100);
  expect(cost.erases).toBeNull();
  expect(objections(choice, cost, limits)).toEqual([
    'the decoder needs 10.7 MiB of RAM, the device has 976.6 KiB',
  ]);
});

test('of sizes that look the same to people all bytes are told', () => {
  const cost = costOf({ format: 'bsdiff', compression: null }, {});
  const limits = { ramBytes: cost.ramBytes - 1 };
  expect(objections({ format: 'bsdiff', compression: null }, cost, limits)).toEqual([
    `the decoder needs ${cost.ramBytes} bytes of RAM, the device has ${cost.ramBytes - 1}`,
  ]);
});

test('formats, compressions and memory that the device lacks are named', () => {
  const limits: DeltaLimits = { formats: ['bsdiff'], compressions: ['crle'], memoryBytes: 65_536 };
  const choice = { format: 'detools-inplace', compression: 'lzma' } as const;
  const cost = costOf(choice, { memoryBytes: 131_072, segmentBytes: 4096 });
  expect(objections(choice, cost, limits)).toEqual([
    'the device decodes bsdiff, not detools-inplace',
    'its decoder has crle, not lzma',
    'it needs 128.0 KiB of flash, the device has 64.0 KiB',
  ]);
});

describe('what is made for a request', () => {
  test('auto leaves out what another choice always beats', () => {
    expect(names(choicesFor({ format: 'auto' }, {}).choices)).toEqual([
      'bsdiff',
      'vcdiff',
      'detools lzma',
    ]);
    const limits: DeltaLimits = {
      formats: ['bsdiff43', 'detools'],
      compressions: ['crle', 'heatshrink'],
    };
    expect(names(choicesFor({ format: 'auto' }, limits).choices)).toEqual([
      'bsdiff43',
      'detools crle',
      'detools heatshrink',
    ]);
    expect(
      names(choicesFor({ format: 'auto', compression: 'crle' }, { formats: ['detools'] }).choices),
    ).toEqual(['detools crle']);
  });

  test('what auto leaves out is kept for tiny patches', () => {
    expect(names(choicesFor({ format: 'auto' }, {}).spare)).toEqual([
      'bsdiff43',
      'detools none',
      'detools crle',
      'detools heatshrink',
    ]);
  });

  test('where LZMA has little RAM, heatshrink with a larger window is tried as well', () => {
    const limits: DeltaLimits = { formats: ['detools'], ramBytes: 40_000 };
    const most = encoderLimits(limits);
    expect(most.lzmaDictionaryBytes).toBeLessThan(2 ** most.heatshrinkWindowBits);
    expect(names(choicesFor({}, limits).choices)).toEqual(['detools heatshrink', 'detools lzma']);
  });

  test('without a format a described device gets the smallest, another one BSDIFF40', () => {
    expect(names(choicesFor({}, {}).choices)).toEqual(['bsdiff']);
    expect(names(choicesFor({}, { linkBytesPerSecond: 100 }).choices)).toHaveLength(3);
    expect(names(choicesFor({ compression: 'crle' }, {}).choices)).toEqual(['detools crle']);
  });

  test('what is asked for by name is tried even when the device has no decoder for it', () => {
    expect(names(choicesFor({ format: 'vcdiff' }, { formats: ['bsdiff'] }).choices)).toEqual([
      'vcdiff',
    ]);
    expect(names(choicesFor({ format: 'detools', compression: 'none' }, {}).choices)).toEqual([
      'detools none',
    ]);
    expect(names(choicesFor({ format: 'detools' }, {}).choices)).toEqual(['detools lzma']);
  });

  test('a compression of a format that has none is refused', () => {
    expect(
      problemOf(() => choicesFor({ format: 'vcdiff', compression: 'lzma' }, {})),
    ).toMatchObject({
      code: 'delta-compression',
      kind: 'usage',
    });
  });
});

test('the full image is advised, with the reason, when the patch saves less than a tenth', () => {
  expect(advise(50, 100)).toEqual({
    publish: 'delta',
    reason: 'The patch saves 50.0 % of the compressed full image.',
  });
  expect(advise(90, 100).publish).toBe('delta');
  expect(advise(91, 100)).toMatchObject({ publish: 'full' });
  expect(advise(91, 100).reason).toContain('saves only 9.0 %');
  expect(advise(120, 100).reason).toContain('not smaller than the compressed full image (100 B)');
});
