import { spawn } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';

const protocol = 'ymodem' as const;
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** Runs one of lrzsz's programs on a port; resolves with its exit code. */
async function onPort(program: string, args: readonly string[], port: string, cwd: string) {
  const file = await open(port, 'r+');
  const child = spawn(program, [...args], { cwd, stdio: [file.fd, file.fd, 'pipe'] });
  const code = new Promise<number | null>((done, fail) => {
    child.once('error', () => fail(new Error(`${program} is missing: apt-get install lrzsz`)));
    child.once('close', done);
  });
  await file.close();
  return { child, code };
}

test('our sender writes the virtual board, whose CRC-32 is checked, and which boots the image', async () => {
  const { path: port } = await bench.boards.start('ymodem');
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  const result = await bench.flash({ port, protocol, image, expectVersion: '1.1.0' });
  expect(result).toMatchObject({
    chip: 'YMODEM bootloader',
    verified: true,
    verifyMethod: 'crc32',
    booted: { version: '1.1.0', matched: true, outcome: 'booted' },
  });
});

test('by XMODEM-1K, which tells no size, the virtual board is written and checked as well', async () => {
  const { path: port } = await bench.boards.start('ymodem');
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  const result = await bench.flash({ port, protocol: 'xmodem', image, expectVersion: '1.1.0' });
  expect(result).toMatchObject({ verifyMethod: 'crc32', booted: { matched: true } });
});

test('an image that is too large is refused by the board, and that is told', async () => {
  const { path: port } = await bench.boards.start('ymodem');
  const failure = await bench.failure({ port, protocol, image: rawImage(new Uint8Array(200_000)) });
  expect(failure.code).toBe('transfer-cancelled');
});

test("lrzsz's sb sends an image to the virtual board, which boots it", async () => {
  const port = join(bench.folder, 'loader');
  await bench.boards.start('ymodem', { linkPath: port, paced: true });
  const image = join(bench.folder, 'sensor.bin');
  await copyFile('resources/sample/firmware/sensor-1.1.0.bin', image);
  const listener = createReadStream(port).on('error', () => undefined);
  const { code } = await onPort('sb', ['-k', image], port, bench.folder);
  expect(await code).toBe(0);
  let log = '';
  listener.on('data', (bytes) => {
    log += bytes.toString();
  });
  await expect.poll(() => log, { timeout: 10_000 }).toMatch(/version 1\.1\.0/);
  listener.destroy();
});

test.each([
  ['rb', 'ymodem', 'rb'],
  ['rx -c', 'xmodem', 'rx -c image.bin'],
  ['rx', 'xmodem', 'rx image.bin'],
] as const)("our sender to lrzsz's %s: the same bytes arrive", async (name, protocol, command) => {
  const folder = join(bench.folder, name);
  await mkdir(folder);
  const port = join(folder, 'port');
  // The line outlives the receiver, as that of a board does. lrzsz flushes its terminal as it ends, so that its last
  // acknowledgement is lost where socat has not read it by then: the shell says it once more.
  await writeFile(join(folder, 'receive.sh'), `${command}; printf '\\006'; sleep 30\n`);
  const receiver = spawn(
    'socat',
    [`PTY,link=${port},rawer,wait-slave`, 'EXEC:sh receive.sh,pty,rawer'],
    { cwd: folder },
  );
  await expect.poll(() => existsSync(port)).toBe(true);
  // lrzsz loses what comes while it answers; what is lost costs ten seconds.
  const bytes = (await sampleImage('sensor-1.0.0.bin')).subarray(0, 3000);
  const image = rawImage(bytes);
  const enough = new Error('nothing will boot');
  const flashing = bench.flash({ port, protocol, image }, ({ step }) => {
    if (step.startsWith('Waiting')) throw enough;
  });
  await expect(flashing).rejects.toBe(enough);
  receiver.kill();
  // No CRC of the whole image is told: it is not called verified.
  expect(await readFile(bench.recordingPath, 'utf8')).toContain('not verified');
  const received = await readFile(join(folder, 'image.bin'));
  // XMODEM knows no size and fills up the last block.
  expect(received.subarray(0, bytes.length).equals(bytes)).toBe(true);
});
