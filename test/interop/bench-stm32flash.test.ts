import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFirmwareImage } from '../../shared/formats/firmware-image.ts';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';
import { peer } from '../support/peers.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const order = async (port: string, name: string, expectVersion: string) => ({
  port,
  protocol: 'stm32' as const,
  image: readFirmwareImage(name, await sampleImage(name)),
  expectVersion,
});

test('both versions are flashed, verified and booted in process', async () => {
  const { path } = await bench.boards.start('stm32');
  for (const version of ['1.0.0', '1.1.0']) {
    const result = await bench.flash(await order(path, `sensor-${version}.s19`, version));
    expect(result).toMatchObject({
      verified: true,
      verifyMethod: 'read-back',
      booted: { version, matched: true, outcome: 'booted' },
    });
  }
  const old = await bench.flash(await order(path, 'sensor-1.0.0.bin', '1.1.0'));
  expect(old.booted).toEqual({ version: '1.0.0', matched: false, outcome: 'other-version' });
});

test('an image that does not run is told from one that runs another version', async () => {
  const { path } = await bench.boards.start('stm32');
  const image = rawImage(new Uint8Array(512).fill(0x5a));
  const result = await bench.flash({ port: path, protocol: 'stm32', image });
  expect(result).toMatchObject({
    verified: true,
    booted: { version: null, matched: false, outcome: 'did-not-boot' },
  });
});

test('only changed sectors are written again, also where the image is blank', async () => {
  const { path } = await bench.boards.start('stm32');
  const bytes = await sampleImage('sensor-1.1.0.bin');
  const changedOnly = true;
  await bench.flash({ port: path, protocol: 'stm32', image: rawImage(bytes) });
  const again = await bench.flash({
    port: path,
    protocol: 'stm32',
    image: rawImage(bytes),
    changedOnly,
    expectVersion: '1.1.0',
  });
  expect(again).toMatchObject({
    bytesWritten: 0,
    unchangedBytes: bytes.length,
    verified: true,
    booted: { matched: true },
  });

  const blanked = bytes.slice();
  blanked.fill(0xff, 11 * 1024, 12 * 1024);
  blanked[5 * 1024 + 7] = 0x42;
  const third = await bench.flash({
    port: path,
    protocol: 'stm32',
    image: rawImage(blanked),
    changedOnly,
  });
  expect(third).toMatchObject({ bytesWritten: 1024, skippedBytes: 1024, verified: true });
  const recording = await readFile(bench.recordingPath, 'utf8');
  // One command erases the two pages, 5 and 11, and no other.
  expect(recording.match(/"tx","hex":"43bc"/g)).toHaveLength(1);
  expect(recording).toContain('"tx","hex":"01050b0f"');
});

test('a wrong chip is refused before anything is erased', async () => {
  const { path } = await bench.boards.start('stm32');
  const failure = await bench.failure({
    ...(await order(path, 'sensor-1.1.0.bin', '1.1.0')),
    expectChip: 'STM32F030x8/F05x',
  });
  expect(failure.code).toBe('wrong-chip');
});

test("Debian's stm32flash writes, verifies and starts our virtual board", async () => {
  const port = join(bench.folder, 'board-a');
  await bench.boards.start('stm32', { linkPath: port });
  const line = ['-b', '115200', '-m', '8n1'] as const;
  const image = join('resources/sample/firmware', 'sensor-1.1.0.bin');
  const { stdout, stderr } = await peer('stm32flash', [
    ...line,
    '-w',
    image,
    '-v',
    '-g',
    '0x0',
    port,
  ]);
  expect(stdout, stderr).toMatch(/Wrote and verified address .*\(100/s);
});

test('our flasher works over a PTY, and a port that is unplugged in the middle is a clear error', async () => {
  const port = join(bench.folder, 'board-b');
  await bench.boards.start('stm32', { linkPath: port });
  const result = await bench.flash(await order(port, 'sensor-1.1.0.s19', '1.1.0'));
  expect(result).toMatchObject({ verified: true, booted: { matched: true } });

  let isUnplugged = false;
  const failure = await bench.failure(
    await order(port, 'sensor-1.0.0.s19', '1.0.0'),
    ({ step, done }) => {
      if (isUnplugged || step !== 'Writing' || done < 2000) return;
      isUnplugged = true;
      void bench.boards.stop(port);
    },
  );
  expect(failure.code).toBe('port-lost');
  expect(await readFile(bench.recordingPath, 'utf8')).toMatch(/failed: The port was lost/);
});
