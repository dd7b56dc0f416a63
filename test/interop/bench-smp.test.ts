import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, openBench, rawImage } from '../support/bench.ts';
import { mcubootImage } from '../support/mcuboot-builder.ts';
import { pythonPeer } from '../support/peers.ts';

const protocol = 'smp' as const;
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

describe('our flasher on the virtual Zephyr board', () => {
  test('uploads, starts the image on trial, and confirms it', async () => {
    const { path: port } = await bench.boards.start('smp');
    const image = rawImage(mcubootImage('1.2.3+4', randomBytes(20_000)));
    const result = await bench.flash({ port, protocol, image, expectVersion: '1.2.3' });
    expect(result).toMatchObject({
      chip: 'nrf52840dk/nrf52840',
      verified: true,
      verifyMethod: 'hash',
      booted: { version: '1.2.3+4', matched: true, outcome: 'booted' },
    });
    const again = await bench.flash({ port, protocol, image, expectVersion: '1.2.3+4' });
    expect(again).toMatchObject({ bytesWritten: 0, verified: true, booted: { matched: true } });
  });

  test('over a PTY, paced: several parts are on the way at once', async () => {
    const port = join(bench.folder, 'smp-a');
    await bench.boards.start('smp', { linkPath: port, paced: true });
    const bytes = mcubootImage('1.1.0', randomBytes(12_000));
    const result = await bench.flash({ port, protocol, image: rawImage(bytes) });
    expect(result).toMatchObject({ verified: true, booted: { version: '1.1.0' } });
    const lines = (await readFile(bench.recordingPath, 'utf8')).split('\n');
    const most = lines.reduce(
      ({ open, top }, line) => {
        if (!line.includes('"dir":"tx"')) return { open: 0, top };
        return { open: open + 1, top: Math.max(top, open + 1) };
      },
      { open: 0, top: 0 },
    );
    expect(most.top).toBeGreaterThanOrEqual(3);
  });

  test('an image whose content is not what its hash says does not become the running one', async () => {
    const { path: port } = await bench.boards.start('smp');
    const bytes = mcubootImage('1.1.0', randomBytes(3000));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    const failure = await bench.failure({ port, protocol, image: rawImage(bytes) });
    expect(failure).toMatchObject({ code: 'mcuboot.hash', kind: 'gate' });
  });

  test('a file that is no MCUboot image is refused before anything is erased', async () => {
    const { path: port } = await bench.boards.start('smp');
    const image = rawImage(randomBytes(1000));
    const failure = await bench.failure({ port, protocol, image });
    expect(failure).toMatchObject({ code: 'wrong-image', kind: 'gate' });
  });
});

test('smpclient uploads to the virtual board and starts the image on trial', async () => {
  const port = join(bench.folder, 'smp-b');
  await bench.boards.start('smp', { linkPath: port });
  const file = join(bench.folder, 'signed.bin');
  await writeFile(file, mcubootImage('2.0.0', randomBytes(30_000)));
  const { stdout, stderr } = await pythonPeer('python', [
    'test/support/python/smp-upload.py',
    port,
    file,
  ]);
  expect(JSON.parse(stdout || 'null'), stderr).toEqual([
    { slot: 0, version: '2.0.0', active: true, confirmed: false },
    { slot: 1, version: '0.9.0', active: false, confirmed: false },
  ]);
});
