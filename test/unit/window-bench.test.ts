import { describe, expect, test } from 'vitest';
import type { BenchRun } from '../../shared/domain/bench.ts';
import { productSchema } from '../../shared/domain/product.ts';
import { benchPolicyOf } from '../../renderer/views/bench/bench-policy.ts';
import { boardRun } from '../support/bench-records.ts';
import { hash } from '../support/records.ts';
import { bytesRows, textRows } from '../../renderer/views/bench/recording-rows.ts';

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const record = (...lines: object[]): string =>
  `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;

describe('a serial recording', () => {
  test('becomes rows of 16 bytes with the time on the first', () => {
    const bytes = Array.from({ length: 18 }, (_, at) => at + 0x40);
    const rows = bytesRows(
      record(
        { t: 0.5, dir: 'note', text: 'image to port' },
        { t: 1, dir: 'tx', hex: '7f' },
        { t: 2, dir: 'rx', hex: Buffer.from(bytes).toString('hex') },
      ),
    );
    expect(rows).toEqual([
      { timeMs: 0.5, kind: 'note', hex: '', text: 'image to port' },
      { timeMs: 1, kind: 'tx', hex: '7f', text: '·' },
      {
        timeMs: 2,
        kind: 'rx',
        hex: '40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f',
        text: '@ABCDEFGHIJKLMNO',
      },
      { timeMs: null, kind: 'rx', hex: '50 51', text: 'PQ' },
    ]);
  });

  test('joins what came byte by byte, but not over a pause or the other direction', () => {
    const rows = bytesRows(
      record(
        { t: 1, dir: 'rx', hex: '41' },
        { t: 2.5, dir: 'rx', hex: '42' },
        { t: 3, dir: 'tx', hex: '43' },
        { t: 3.1, dir: 'rx', hex: '44' },
        { t: 9, dir: 'rx', hex: '45' },
      ),
    );
    expect(rows.map((row) => [row.timeMs, row.text])).toEqual([
      [1, 'AB'],
      [3, 'C'],
      [3.1, 'D'],
      [9, 'E'],
    ]);
  });

  test('does not take the answer of the bootloader for the first letter of the boot log', () => {
    const recording = record(
      { t: 1, dir: 'rx', hex: '79' },
      { t: 1.1, dir: 'rx', hex: hex('Slipway\r\n') },
    );
    expect(bytesRows(recording).map((row) => row.text)).toEqual(['y', 'Slipway··']);
    expect(textRows(recording).map((row) => row.text)).toEqual(['Slipway']);
  });

  test('says which line is damaged and shows the others', () => {
    const rows = bytesRows(
      `{"t":1,"dir":"rx","hex":"41"}\n{"t":2,"dir":"rx","he\n${record({ t: 3, dir: 'rx', hex: '4' }, { t: 4, dir: 'up', hex: '41' }, { t: 5, dir: 'tx', hex: '42' })}`,
    );
    expect(rows.map((row) => [row.kind, row.text])).toEqual([
      ['rx', 'A'],
      ['damaged', 'Line 2 of the recording cannot be read.'],
      ['damaged', 'Line 3 of the recording cannot be read.'],
      ['damaged', 'Line 4 of the recording cannot be read.'],
      ['tx', 'B'],
    ]);
  });

  test('as text shows the notes and the boot log line by line, no protocol bytes', () => {
    const rows = textRows(
      record(
        { t: 1, dir: 'rx', hex: '79' },
        { t: 2, dir: 'tx', hex: hex('text that we sent') },
        { t: 3, dir: 'note', text: 'verified' },
        { t: 10, dir: 'rx', hex: hex('Slipway sample sensor\r\nversion 1.') },
        { t: 11, dir: 'rx', hex: hex('1.0\r\n') },
      ),
    );
    expect(rows.map((row) => [row.timeMs, row.kind, row.text])).toEqual([
      [3, 'note', 'verified'],
      [10, 'rx', 'Slipway sample sensor'],
      [null, 'rx', 'version 1.1.0'],
    ]);
  });

  test('of a whole 512 KiB chip is read at once', () => {
    const line = JSON.stringify({ t: 1, dir: 'rx', hex: 'ab'.repeat(256) });
    const startedMs = performance.now();
    expect(bytesRows(`${line}\n`.repeat(2048))).toHaveLength(32_768);
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });
});

describe('the bench policy', () => {
  const product = (benchRunsRequired: number) =>
    productSchema.parse({
      id: 'P',
      name: 'P',
      components: [{ id: 'STM32', name: 'S', type: 'mcu' }],
      policy: { benchRunsRequired },
    });
  const run = (imageSha256: string, passed: boolean) => ({ imageSha256, passed }) as BenchRun;

  const image = (sha256: string) => ({ sha256, releaseId: 'r-1.1.0', targetVersion: '1.1.0' });
  const at = '2026-01-10T00:00:00.000Z';

  test('counts only passed runs of exactly this image', () => {
    const runs = [run('a', false), run('b', true), run('a', true)];
    expect(benchPolicyOf(product(2), image('a'), runs, at)).toEqual({
      isMet: false,
      text: '1 of 2 required runs passed for this exact image',
      judged: null,
    });
    expect(benchPolicyOf(product(1), image('a'), runs, at)).toMatchObject({
      isMet: true,
      text: '1 of 1 required runs passed for this exact image',
    });
  });

  test('may ask for nothing', () => {
    expect(benchPolicyOf(product(0), image('a'), [], at)).toMatchObject({
      isMet: true,
      text: 'The product requires no bench run; 0 passed for this exact image',
    });
  });

  test('says for each hardware revision how many boards are still asked for', () => {
    const simple = product(0);
    const asked = { boards: 2, hardwareRevisions: ['A', 'B'], withinDays: 7 };
    const strict = { ...simple, policy: { ...simple.policy, bench: asked } };
    expect(benchPolicyOf(strict, image(hash('a')), [boardRun('A1', 'A')], at)).toMatchObject({
      isMet: false,
      text: 'The policy asks for 2 boards of each hardware revision (A, B), flashed within 7 days, with this exact image',
      judged: { revisions: [{ revision: 'A' }, { revision: 'B' }] },
    });
  });
});
