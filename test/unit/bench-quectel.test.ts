import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileChecksum, fotaErrorText } from '../../shared/formats/quectel.ts';
import { type Bench, openBench, rawImage } from '../support/bench.ts';

const protocol = 'quectel' as const;
const version = 'EG800KEULCR07A07M05_01.300.01.300';
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** A package as the virtual module takes it: its content names the version. */
const packageFor = (name: string): Uint8Array =>
  new Uint8Array(Buffer.concat([Buffer.alloc(2500, 0x41), Buffer.from(name), Buffer.alloc(33)]));

test('a package is uploaded, checked, installed, and the module tells the new version', async () => {
  const port = join(bench.folder, 'module');
  await bench.boards.start('quectel', { linkPath: port, paced: true });
  const image = rawImage(packageFor(version));
  const result = await bench.flash({ port, protocol, image, expectVersion: version });
  expect(result).toMatchObject({
    chip: 'EG800K',
    boardId: '867698040000001',
    verified: true,
    verifyMethod: 'checksum',
    booted: { version, matched: true, outcome: 'booted' },
  });
  const recording = await readFile(bench.recordingPath, 'utf8');
  const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
  expect(recording).toContain(hex('AT+QFOTADL="/data/ufs/slipway_fota.bin"\r'));
});

test('a package that the module refuses is told in words, and nothing is called flashed', async () => {
  const { path: port } = await bench.boards.start('quectel');
  const image = rawImage(packageFor('no version of this module'));
  const failure = await bench.failure({ port, protocol, image });
  expect(failure).toMatchObject({
    code: 'upgrade-failed',
    kind: 'gate',
    detail: 'It says: the package did not pass its check (505).',
  });
});

test('a module fetches the package from an address itself; an address without one is told', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/fota.bin') response.end(packageFor(version));
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { path: port } = await bench.boards.start('quectel');
  const order = { port, protocol, image: rawImage(packageFor(version)), expectVersion: version };
  const failure = await bench.failure({ ...order, url: `${base}/none` });
  expect(failure.detail).toBe('It says: HTTP(S): unknown error (701).');
  const result = await bench.flash({ ...order, url: `${base}/fota.bin` });
  expect(result).toMatchObject({ bytesWritten: 0, verified: false, booted: { matched: true } });
  server.close();
});

test('the checksum is the XOR of big-endian words, the last odd byte the high one', () => {
  expect(fileChecksum(Uint8Array.of(0x12, 0x34, 0x56, 0x78))).toBe(0x444c);
  expect(fileChecksum(Uint8Array.of(0x12, 0x34, 0x56))).toBe(0x4434);
});

test.each([
  [510, 'the patch does not match the firmware that the module runs (510)'],
  [525, 'the upgrade failed (525)'],
  [999, 'error 999, which no manual explains'],
])('error %i in words', (code, words) => {
  expect(fotaErrorText(code)).toBe(words);
});
