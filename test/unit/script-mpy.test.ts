import { afterAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { readMpy } from '../../shared/formats/mpy.ts';
import { flipped, InspectBench } from '../support/inspect.ts';
import { mpyFiles } from '../support/peer-files.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const { pump5, pump6, arm6, xtensa5, riscv6 } = mpyFiles;

describe('.mpy files', () => {
  it.each([
    ['6.0 for MicroPython 1.19 and newer', pump6],
    ['5 for MicroPython 1.12 to 1.18', pump5],
  ])('walks version %s', async (version, bytes) => {
    const file = await bench.inspect('pump.mpy', bytes, { version: '1.4.2' });
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'mpy.header',
      'container.integrity',
      'identity.version-found',
      'file.hash',
    ]);
    expect(file.findings[0]?.detail).toBe(
      `version ${version}, "pump.py", 7 code objects, small integers of 31 bits`,
    );
  });

  it.each([
    ['armv7emsp (Arm)', arm6],
    ['xtensawin (Xtensa)', xtensa5],
    ['rv32imc (RISC-V)', riscv6],
  ])('walks machine code for %s', async (target, bytes) => {
    const file = await bench.inspect('native.mpy', bytes);
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'mpy.native',
      'mpy.header',
      'container.integrity',
      'file.hash',
    ]);
    expect(file.findings[0]?.detail).toBe(`machine code for ${target}`);
    expect(file.findings[1]?.detail).toContain('3 code objects');
  });

  it('stops machine code for another processor than that of the component', async () => {
    const wrong = 'image.processor-wrong';
    expect(await bench.rulesOf('a.mpy', arm6, { chip: 'STM32F407VG' })).not.toContain(wrong);
    expect(await bench.rulesOf('a.mpy', arm6, { chip: 'ESP32-C3' })).toContain(wrong);
    expect(await bench.rulesOf('x.mpy', xtensa5, { chip: 'esp32' })).not.toContain(wrong);
    expect(await bench.rulesOf('x.mpy', xtensa5, { chip: 'nRF52840' })).toContain(wrong);
    expect(await bench.rulesOf('r.mpy', riscv6, { chip: 'RP2350' })).not.toContain(wrong);
    expect(await bench.rulesOf('r.mpy', riscv6, { chip: 'some chip' })).not.toContain(wrong);
    expect(await bench.rulesOf('p.mpy', pump6, { chip: 'ESP32-C3' })).not.toContain(wrong);
  });

  it('only recognises older versions', async () => {
    const old = Buffer.from(pump5);
    old[1] = 4;
    const file = await bench.inspect('old.mpy', old);
    expect(file.findings[0]).toMatchObject({
      rule: 'mpy.not-walked',
      verdict: 'could-not-check',
      detail: 'version 4 (MicroPython 1.11)',
    });
  });

  it('tells compiled code under the name of a script, and the reverse', async () => {
    expect(await bench.rulesOf('main.py', pump6)).toContain('file.type-mismatch');
    for (const at of [0, 1, 3])
      expect(await bench.rulesOf('a.mpy', flipped(pump6, at, 0xff))).toContain(
        'file.type-mismatch',
      );
    expect(await bench.rulesOf('main.mpy', Buffer.from('import sys\n'))).toContain(
      'file.type-mismatch',
    );
  });

  it.each(Object.entries(mpyFiles))('tells every cut of %s', async (_name, bytes) => {
    for (let size = 1; size < bytes.length; size += 1) {
      const rules: string[] = [];
      const cut = memorySource(bytes.subarray(0, size));
      expect(await readMpy(cut, (rule) => rules.push(rule))).toBeNull();
      expect(rules, `${size} of ${bytes.length} bytes`).toEqual(['mpy.truncated']);
    }
  });

  it('tells bytes behind the code, but not padding', async () => {
    const padded = Buffer.concat([pump6, Buffer.alloc(10, 0xff)]);
    expect(await bench.rulesOf('padded.mpy', padded)).toContain('container.integrity');
    const more = Buffer.concat([pump6, Buffer.from('more')]);
    expect(await bench.rulesOf('more.mpy', more)).toContain('mpy.damaged');
  });

  it.each([
    ['an absurd number of strings', pump6, 4, 0xff],
    ['a text without its NUL', pump6, 6, 2],
    ['a name that is not UTF-8', pump6, 8, 0xff],
    ['a window of too many names', pump5, 4, 33],
    ['code that is shorter than its head', pump5, 6, 4],
  ])('tells %s', async (_what, file, at, value) => {
    const bytes = Buffer.from(file);
    bytes[at] = value;
    const rules = await bench.rulesOf('a.mpy', bytes);
    expect(rules.filter((rule) => ['mpy.damaged', 'mpy.truncated'].includes(rule))).not.toEqual([]);
    expect(rules).not.toContain('container.integrity');
  });

  it('tells a constant that is no number', async () => {
    const at = pump6.indexOf('3.25');
    const rules = await bench.rulesOf('number.mpy', flipped(pump6, at, 0x40));
    expect(rules).toContain('mpy.damaged');
  });
});
