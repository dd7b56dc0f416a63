import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, openBench, rawImage } from '../support/bench.ts';
import { espImage } from '../support/esp-images.ts';
import { pythonPeer } from '../support/peers.ts';

const app = (version: string, code?: Buffer): Buffer =>
  espImage({ version, code: code ?? randomBytes(20_000) });
const protocol = 'esp' as const;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

describe('our flasher on the virtual ESP32', () => {
  test('in process: finds the chip and its MAC, verifies by MD5, boots the version', async () => {
    const { path } = await bench.boards.start('esp32');
    const image = rawImage(app('2.5.0'));
    const result = await bench.flash({ port: path, protocol, image, expectVersion: '2.5.0' });
    expect(result).toMatchObject({
      chip: 'ESP32',
      boardId: '24:0a:12:c4:8e:5a',
      verified: true,
      verifyMethod: 'md5',
      booted: { version: '2.5.0', matched: true, outcome: 'booted' },
    });
  });

  test("through Espressif's stub, in large blocks, then only what has changed", async () => {
    const { path: port } = await bench.boards.start('esp32');
    const code = randomBytes(60_000);
    const order = { port, protocol, usesStub: true };
    const whole = await bench.flash({ ...order, image: rawImage(app('2.4.0', code)) });
    expect(whole).toMatchObject({ verified: true, verifyMethod: 'md5' });
    const recording = await readFile(bench.recordingPath, 'utf8');
    expect(recording).toMatch(/stub loader, flash of 4096 KiB, 460800 baud/);
    const longest = Math.max(...recording.split('\n').map((line) => line.length / 2));
    expect(longest).toBeGreaterThan(0x4000);
    const changed = await bench.flash({
      ...order,
      image: rawImage(app('2.5.0', code)),
      changedOnly: true,
      expectVersion: '2.5.0',
    });
    expect(changed).toMatchObject({ verified: true, booted: { matched: true } });
    expect(changed.bytesWritten).toBeLessThanOrEqual(2 * 4096);
  });

  test('over a PTY, then only what has changed', async () => {
    const port = join(bench.folder, 'esp-a');
    await bench.boards.start('esp32', { unit: 0, linkPath: port });
    const code = randomBytes(60_000);
    const expectVersion = '2.5.0';
    await bench.flash({ port, protocol, image: rawImage(app('2.4.0', code)) });
    const changedOnly = true;
    const image = rawImage(app(expectVersion, code));
    const changed = await bench.flash({ port, protocol, image, changedOnly, expectVersion });
    expect(changed).toMatchObject({ verified: true, booted: { matched: true } });
    expect(changed.bytesWritten).toBeLessThanOrEqual(2 * 4096);
    const again = await bench.flash({ port, protocol, image, changedOnly, expectVersion });
    expect(again).toMatchObject({ bytesWritten: 0, booted: { matched: true } });
    expect(again.unchangedBytes).toBeGreaterThan(60_000);
  });

  test('an application that is not sound boots in a loop', async () => {
    const { path } = await bench.boards.start('esp32', { paced: true });
    const damaged = espImage();
    damaged[300] = 1;
    const result = await bench.flash({ port: path, protocol, image: rawImage(damaged) });
    expect(result).toMatchObject({
      verified: true,
      booted: { version: null, matched: false, outcome: 'boot-loop' },
    });
  });

  test('an image for another chip is refused before anything is erased', async () => {
    const { path } = await bench.boards.start('esp32');
    const failure = await bench.failure({
      port: path,
      protocol,
      image: rawImage(espImage({ chipId: 9 })),
    });
    expect(failure).toMatchObject({
      code: 'wrong-image',
      detail: expect.stringMatching(/for ESP32-S3; the board has ESP32\./),
    });
  });
});

describe('esptool on the virtual ESP32', () => {
  test.each([
    ['with its stub', [], []],
    ['with the ROM alone', ['--no-stub'], []],
    ['uncompressed, faster', ['--baud', '460800'], ['--no-compress']],
  ])('%s writes, verifies and starts', async (name, global, local) => {
    const port = join(bench.folder, name.replaceAll(/\W/g, ''));
    await bench.boards.start('esp32', { unit: 0, linkPath: port });
    const file = join(bench.folder, 'app.bin');
    await writeFile(file, app('2.5.0'));
    const { code, stdout, stderr } = await pythonPeer('esptool', [
      '--port',
      port,
      '--chip',
      'auto',
      ...global,
      'write-flash',
      ...local,
      '0x10000',
      file,
    ]);
    expect(stdout, stderr).toMatch(/Chip type: +ESP32/);
    expect(stdout).toMatch(/MAC: +24:0a:12:c4:8e:5a/);
    expect(stdout, stderr).toMatch(/Hash of data verified/);
    expect(code).toBe(0);
  });
});
