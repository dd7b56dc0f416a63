import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootCommandsSchema } from '../../shared/domain/boot-commands.ts';
import { type Bench, openBench, rawImage } from '../support/bench.ts';
import { bootScript, UBoot } from '../support/uboot.ts';

let bench: Bench;
let board: UBoot;
beforeAll(async () => {
  bench = await openBench();
  board = await UBoot.start(bench.folder);
});
afterAll(async () => {
  await board.stop();
  await bench.close();
});

/** A script of some 16 KiB. */
const script = async (version: string): Promise<Uint8Array> =>
  new Uint8Array(
    await readFile(
      await bootScript(bench.folder, { version, filler: randomBytes(8000).toString('hex') }),
    ),
  );

const toDisk = {
  write: ['fatwrite virtio 0:1 0x42000000 boot.scr {size}'],
  readBack: ['mw.b 0x43000000 0 {size}', 'fatload virtio 0:1 0x43000000 boot.scr'],
  sum: 'crc32 0x43000000 {size}',
  start: 'reset',
};

describe('real U-Boot under QEMU', () => {
  test.each([
    ['ymodem', 'loady', '1.4.0'],
    ['xmodem', 'loadx', '1.5.0'],
  ] as const)(
    '%s: loaded, written to its disk, read back, and booted from there',
    async (protocol, load, version) => {
      const bootCommands = bootCommandsSchema.parse({ ...toDisk, load: `${load} 0x42000000` });
      const image = rawImage(await script(version));
      const order = { port: board.port, protocol, image, bootCommands, expectVersion: version };
      expect(await bench.flash(order)).toMatchObject({
        chip: expect.stringMatching(/^U-Boot \d{4}\.\d\d/),
        verified: true,
        verifyMethod: 'crc32',
        booted: { version, matched: true, outcome: 'booted' },
      });
    },
  );

  test('without commands the image is checked and started in its RAM', async () => {
    const image = rawImage(await script('1.6.0'));
    const order = { port: board.port, protocol: 'ymodem' as const, image };
    expect(await bench.flash({ ...order, expectVersion: '1.6.0' })).toMatchObject({
      verified: true,
      booted: { matched: true },
    });
  });

  test('flash that says it was written, and was not, is caught', async () => {
    const bootCommands = bootCommandsSchema.parse({
      load: 'loady 0x42000000',
      write: [
        'protect off 0x04000000 +{size}',
        'erase 0x04000000 +{size}',
        'cp.b 0x42000000 0x04000000 {size}',
      ],
      sum: 'crc32 0x04000000 {size}',
    });
    const image = rawImage(randomBytes(20_000));
    const order = { port: board.port, protocol: 'ymodem' as const, image, bootCommands };
    const failure = await bench.failure(order);
    expect(failure).toMatchObject({ code: 'verify-failed', kind: 'gate' });
  });

  test('a command that the bootloader does not know ends the run, and says which', async () => {
    const bootCommands = bootCommandsSchema.parse({ ...toDisk, write: ['burn 0x42000000'] });
    const image = rawImage(randomBytes(100));
    const order = { port: board.port, protocol: 'ymodem' as const, image, bootCommands };
    expect(await bench.failure(order)).toMatchObject({
      code: 'bootloader-refused',
      detail: expect.stringMatching(/"burn 0x42000000" was answered with "Unknown command 'burn'/),
    });
  });
});
