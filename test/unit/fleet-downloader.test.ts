import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { DeviceHttp } from '../../electron/boards/fleet/device-http.ts';
import { Downloader } from '../../electron/boards/fleet/downloader.ts';
import { Slots } from '../../shared/domain/slots.ts';
import { backoffMs, Timers } from '../../electron/boards/fleet/timers.ts';

const image = randomBytes(300_000);
const sha256 = createHash('sha256').update(image).digest('hex');
let server: Server | null = null;
const timers = new Timers();
const http = new DeviceHttp({ connections: 4 });

afterEach(() => {
  http.close();
  server?.closeAllConnections();
  server?.close();
  server = null;
});

type Answer = (response: ServerResponse, request: IncomingMessage, attempt: number) => void;

/** A server whose answers are scripted, and what it was asked. */
async function serve(answer: Answer, port = 0): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const opened = createServer((request, response) => {
    asked.push(`${request.headers.range ?? 'all'} ${request.headers.authorization}`);
    answer(response, request, asked.length);
  });
  server = opened;
  await new Promise<void>((done) => opened.listen(port, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(opened.address() as AddressInfo).port}/a/1`, asked };
}

function fetchImage(url: string, sizeBytes = image.length) {
  const downloader = new Downloader(http, new Slots(2), timers);
  const seen: number[] = [];
  const options = { keep: true, onBytes: (bytes: number) => seen.push(bytes) };
  return downloader
    .fetch({ url, sizeBytes, sha256 }, 'secret', options)
    .then((result) => ({ ...result, seen }));
}

const whole = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': image.length }).end(image);
};
function part(response: ServerResponse, request: IncomingMessage, cutAfter = image.length): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  expect(request.headers['if-range']).toBe(start > 0 ? `"${sha256}"` : undefined);
  const length = image.length - start;
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': length,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${image.length - 1}/${image.length}` } : {}),
  });
  if (cutAfter >= length) response.end(image.subarray(start));
  else response.write(image.subarray(start, start + cutAfter), () => response.destroy());
}

test('a whole answer is taken, with the secret of the device', async () => {
  const { url, asked } = await serve(whole);
  const result = await fetchImage(url);
  expect(result.sha256).toBe(sha256);
  expect(result.bytes?.equals(image)).toBe(true);
  expect(asked).toEqual(['all TargetToken secret']);
  expect(result.seen.at(-1)).toBe(image.length);
});

test('a broken connection is taken up again where it broke', async () => {
  const { url, asked } = await serve((response, request, attempt) =>
    part(response, request, attempt < 4 ? 70_000 : image.length),
  );
  expect((await fetchImage(url)).sha256).toBe(sha256);
  const starts = asked.map((line) => Number(/bytes=(\d+)-/.exec(line)?.[1] ?? 0));
  expect(asked).toHaveLength(4);
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
  expect(starts.at(-1)).toBeGreaterThan(0);
});

test('a server that knows no ranges is read from the start again', async () => {
  const { url } = await serve((response, request, attempt) =>
    attempt === 1 ? part(response, request, 100_000) : whole(response),
  );
  const result = await fetchImage(url);
  expect(result.sha256).toBe(sha256);
  expect(result.bytes).toHaveLength(image.length);
});

test('a cloud that is away is waited for', async () => {
  const { url } = await serve(whole);
  const port = Number(new URL(url).port);
  server?.close();
  const fetched = fetchImage(url);
  setTimeout(() => void serve(whole, port), 700);
  expect((await fetched).sha256).toBe(sha256);
});

test('an overloaded cloud is tried again', async () => {
  const { url } = await serve((response, _request, attempt) =>
    attempt === 1 ? response.writeHead(503).end() : whole(response),
  );
  expect((await fetchImage(url)).sha256).toBe(sha256);
});

test.each([
  ['http-404', (response: ServerResponse) => response.writeHead(404).end()],
  ['http-401', (response: ServerResponse) => response.writeHead(401).end()],
  ['http-302', (response: ServerResponse) => response.writeHead(302, { location: '/' }).end()],
  ['size-mismatch', (response: ServerResponse) => response.end(Buffer.concat([image, image]))],
])('%s is final', async (code, answer) => {
  const { url } = await serve((response) => void answer(response));
  await expect(fetchImage(url)).rejects.toMatchObject({ code });
});

test('an artifact shorter than announced is final', async () => {
  const { url } = await serve((response, request) =>
    request.headers.range ? response.writeHead(416).end() : whole(response),
  );
  await expect(fetchImage(url, image.length + 1)).rejects.toMatchObject({ code: 'size-mismatch' });
});

test('a range from somewhere else is final', async () => {
  const { url } = await serve((response, request, attempt) => {
    if (attempt === 1) part(response, request, 100_000);
    else response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('aaaaa');
  });
  await expect(fetchImage(url)).rejects.toMatchObject({ code: 'range-mismatch' });
});

test('answers that bring nothing are not asked for without end', async () => {
  const { url, asked } = await serve((response, request) =>
    part(response, request, request.headers.range ? 0 : 1000),
  );
  await expect(fetchImage(url)).rejects.toMatchObject({ code: 'download-stalled' });
  expect(asked).toHaveLength(5);
});

test('slots admit in line, heavy ones too, and are given back on failure', async () => {
  const slots = new Slots(2);
  const order: string[] = [];
  const gates = new Map<string, () => void>();
  const work = (name: string, weight: number): Promise<void> =>
    slots.hold(weight, async () => {
      order.push(name);
      await new Promise<void>((done) => gates.set(name, done));
      if (name === 'b') throw new Error('b failed');
    });
  const all = [work('a', 1), work('b', 1), work('heavy', 99), work('c', 1)].map((run) =>
    run.catch(() => undefined),
  );
  const settle = () => new Promise((done) => setTimeout(done, 5));
  await settle();
  expect(order).toEqual(['a', 'b']);
  gates.get('b')?.();
  await settle();
  expect(order).toEqual(['a', 'b']);
  gates.get('a')?.();
  await settle();
  expect(order).toEqual(['a', 'b', 'heavy']);
  gates.get('heavy')?.();
  await settle();
  gates.get('c')?.();
  await Promise.all(all);
  expect(order).toEqual(['a', 'b', 'heavy', 'c']);
});

test('backoff grows to a limit and is spread', () => {
  const samples = Array.from({ length: 200 }, () => backoffMs(3));
  expect(Math.min(...samples)).toBeGreaterThanOrEqual(1000);
  expect(Math.max(...samples)).toBeLessThanOrEqual(2000);
  expect(new Set(samples).size).toBeGreaterThan(100);
  expect(backoffMs(1000)).toBeLessThanOrEqual(10_000);
});
