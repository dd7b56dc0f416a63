import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ByteChannel } from '../../electron/core/bench/byte-channel.ts';
import { Stm32Bootloader } from '../../electron/core/bench/stm32/stm32-bootloader.ts';
import type { Protocol, VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { avrApp } from '../support/avr-app.ts';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';
import { espImage } from '../support/esp-images.ts';
import { mcubootImage } from '../support/mcuboot-builder.ts';
import { readFirmwareImage } from '../../shared/formats/firmware-image.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('a read-protected STM32 is refused before anything is erased, and the hint names the way on', async () => {
  const { path: port } = await bench.boards.start('stm32', { fault: 'read-protected' });
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  const failure = await bench.failure({ port, protocol: 'stm32', image });
  expect(failure).toMatchObject({
    code: 'consent-missing',
    detail: expect.stringContaining('read-out'),
    hint: expect.stringContaining('--unprotect-erases-all'),
  });
});

test('an STM32 whose first pages are write-protected says that it wrote them; verifying tells', async () => {
  const { path: port } = await bench.boards.start('stm32', { fault: 'write-protected' });
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  const failure = await bench.failure({ port, protocol: 'stm32', image });
  expect(failure).toMatchObject({ code: 'verify-failed', kind: 'gate' });
});

const version = 'EG800KEULCR07A07M05_01.300.01.300';
const sound: readonly (readonly [Protocol, VirtualBoardKind, () => Promise<Uint8Array>])[] = [
  ['stm32', 'stm32', () => sampleImage('sensor-1.1.0.bin')],
  ['esp', 'esp32', async () => espImage({ version: '1.1.0', code: randomBytes(9000) })],
  ['smp', 'smp', async () => mcubootImage('1.1.0', randomBytes(9000))],
  ['ymodem', 'ymodem', () => sampleImage('sensor-1.1.0.bin')],
  ['quectel', 'quectel', async () => Buffer.concat([randomBytes(9000), Buffer.from(version)])],
];

test.each(sound)(
  '%s: stray bytes after a reset do not keep the board from being flashed',
  async (protocol, kind, make) => {
    const { path: port } = await bench.boards.start(kind, { fault: 'stray-bytes' });
    const result = await bench.flash({ port, protocol, image: rawImage(await make()) });
    expect(result).toMatchObject({ verified: true, booted: { outcome: 'booted' } });
  },
);

test('Optiboot: stray bytes after a reset do not keep it from being flashed', async () => {
  const { path: port } = await bench.boards.start('optiboot', { fault: 'stray-bytes' });
  const app = await avrApp(bench.folder, { version: '1.1.0', fillerBytes: 300 });
  const image = readFirmwareImage('app.hex', app.bytes);
  expect(await bench.flash({ port, protocol: 'stk500', image })).toMatchObject({ verified: true });
});

test('power that fails while it is written is never a success, and the next run is', async () => {
  const { path: port } = await bench.boards.start('stm32', { fault: 'power-loss' });
  const order = {
    port,
    protocol: 'stm32' as const,
    image: rawImage(await sampleImage('sensor-1.1.0.bin')),
    expectVersion: '1.1.0',
  };
  expect(await bench.failure(order)).toMatchObject({ code: 'bootloader-silent' });
  const result = await bench.flash({ ...order, changedOnly: true });
  expect(result).toMatchObject({ verified: true, booted: { matched: true } });
  expect(result.unchangedBytes).toBeGreaterThan(0);
});

test('protection is a fault of the STM32 alone', async () => {
  await expect(bench.boards.start('esp32', { fault: 'read-protected' })).rejects.toMatchObject({
    problem: { code: 'no-such-fault' },
  });
});

test('an STM32 that was left in the middle of a write is reached again by who goes on with it', async () => {
  const { path: port } = await bench.boards.start('stm32', { unit: 0 });
  const line = { baudRate: 115_200, dataBits: 8, parity: 'even', stopBits: 1 } as const;
  const link = await bench.boards.opener()(port, line);
  const channel = new ByteChannel(link, port, new AbortController().signal);
  try {
    const bootloader = new Stm32Bootloader(channel);
    await bootloader.connect();
    // WRITE and its address, each acknowledged, and the first few of 256 bytes; then whoever wrote is gone.
    for (const part of [
      [0x31, 0xce],
      [0x08, 0x00, 0x10, 0x00, 0x18],
    ]) {
      await channel.write(Uint8Array.from(part));
      expect(await channel.byteOrNull(1000)).toBe(0x79);
    }
    await channel.write(Uint8Array.of(0xff, 1, 2, 3));
    await expect(bootloader.connect()).rejects.toMatchObject({
      problem: { code: 'no-bootloader' },
    });
    expect(await bootloader.connect({ finishesWrite: true })).toMatchObject({ productId: 0x410 });
  } finally {
    await link.close();
  }
}, 30_000);
