import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFirmwareImage } from '../../shared/formats/firmware-image.ts';
import { avrApp } from '../support/avr-app.ts';
import { type Bench, openBench } from '../support/bench.ts';
import { peer } from '../support/peers.ts';

const bootloaders = '/usr/share/arduino/hardware/arduino/avr/bootloaders';
const protocol = 'stk500' as const;
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const app = async (version: string, fillerBytes?: number) => {
  const { bytes } = await avrApp(bench.folder, { version, ...(fillerBytes && { fillerBytes }) });
  return readFirmwareImage('app.hex', bytes);
};

describe('our flasher on real Optiboot', () => {
  test('in process: writes, verifies, and the application prints its version', async () => {
    const { path: port } = await bench.boards.start('optiboot');
    const image = await app('1.1.0', 1000);
    const result = await bench.flash({ port, protocol, image, expectVersion: '1.1.0' });
    expect(result).toMatchObject({
      chip: 'ATmega328P',
      verified: true,
      verifyMethod: 'read-back',
      booted: { version: '1.1.0', matched: true, outcome: 'booted' },
    });
    await bench.boards.stop(port);
  });

  test('over a PTY, where opening the port is the reset, then only what has changed', async () => {
    const port = join(bench.folder, 'uno-a');
    await bench.boards.start('optiboot', { linkPath: port });
    await bench.flash({ port, protocol, image: await app('1.0.0', 500) });
    await expect.poll(() => existsSync(port)).toBe(true);
    const result = await bench.flash({
      port,
      protocol,
      image: await app('1.1.0', 500),
      changedOnly: true,
      expectVersion: '1.1.0',
    });
    expect(result).toMatchObject({ bytesWritten: 128, booted: { matched: true } });
    await bench.boards.stop(port);
  });

  test('an image that would overwrite the bootloader is refused before anything is written', async () => {
    const { path: port } = await bench.boards.start('optiboot');
    const image = {
      format: 'intel-hex' as const,
      segments: [{ address: 0x7d00, bytes: new Uint8Array(0x101).fill(1) }],
    };
    const failure = await bench.failure({ port, protocol, image });
    expect(failure).toMatchObject({ code: 'image-outside-flash', kind: 'gate' });
    await bench.boards.stop(port);
  });

  test('an older bootloader is found at its own speed', async () => {
    const bootloader = join(bootloaders, 'atmega/ATmegaBOOT_168_atmega328.hex');
    const { path: port } = await bench.boards.start('optiboot', { bootloader });
    const image = await app('0.9.0');
    const failure = await bench.failure({ port, protocol, image, expectChip: 'ATmega8' });
    expect(failure).toMatchObject({ code: 'wrong-chip' });
    expect(failure.detail).toContain('ATmega328P');
    expect(await readFile(bench.recordingPath, 'utf8')).toMatch(/bootloader 1\.16, 57600 baud/);
    await bench.boards.stop(port);
  });
});

test("Debian's own optiboot_atmega328.hex, which does not fit its section, is refused", async () => {
  const bootloader = join(bootloaders, 'optiboot/optiboot_atmega328.hex');
  await expect(bench.boards.start('optiboot', { bootloader })).rejects.toThrow();
});

test('avrdude writes, verifies and starts the same board', async () => {
  const port = join(bench.folder, 'uno-b');
  await bench.boards.start('optiboot', { linkPath: port });
  const { path } = await avrApp(bench.folder, { version: '1.2.0', fillerBytes: 600 });
  const { code, stderr } = await peer('avrdude', [
    '-c',
    'arduino',
    '-p',
    'atmega328p',
    '-b',
    '115200',
    '-P',
    port,
    '-D',
    '-U',
    `flash:w:${path}:i`,
  ]);
  expect(stderr).toMatch(/bytes of flash verified/);
  expect(code).toBe(0);
  await bench.boards.stop(port);
});
