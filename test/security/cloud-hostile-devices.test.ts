import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type CoapMessage,
  coapCode,
  coapOption,
  decodeCoap,
  encodeCoap,
} from '../../shared/protocols/coap-message.ts';
import { blockOption, textOption } from '../../shared/protocols/coap-options.ts';
import { makeDevice } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
let named = '';
beforeEach(async () => {
  named = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    named += String(text);
    return true;
  });
  cloud = await TestCloud.start();
  await cloud.addDevices(
    makeDevice('dev-1', { transport: 'http' }),
    makeDevice('dev-2', { transport: 'http' }),
  );
});
afterEach(async () => {
  await cloud.stop();
  vi.restoreAllMocks();
});

/** What the server sends until it closes the connection. */
async function overTcp(...parts: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(cloud.running.http);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (text: Buffer) => (answer += text.toString()));
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return answer;
}

const overHttp = async (path: string, init: RequestInit = {}) =>
  (await fetch(`${cloud.running.http}/default/controller/v1/${path}`, init)).status;
const tokenOf = (id: string) => ({ authorization: `TargetToken ${cloud.secretOf(id)}` });

/** Sends datagrams; the first answer, or null when none comes before that to a ping sent last. */
async function overUdp(...datagrams: Uint8Array[]): Promise<CoapMessage | null> {
  const { hostname, port } = new URL(cloud.running.coap ?? '');
  const socket = createSocket('udp4');
  const ping = { ...request([]), code: coapCode.empty, token: new Uint8Array(0), messageId: 9 };
  for (const bytes of [...datagrams, encodeCoap(ping)]) socket.send(bytes, Number(port), hostname);
  try {
    const [bytes] = (await once(socket, 'message')) as [Buffer];
    const message = decodeCoap(bytes);
    return message?.type === 'rst' ? null : message;
  } finally {
    socket.close();
  }
}

const request = (options: CoapMessage['options'], fields: Partial<CoapMessage> = {}) => ({
  type: 'con' as const,
  code: coapCode.post as number,
  messageId: 7,
  token: Uint8Array.of(1, 2),
  options,
  payload: new Uint8Array(0),
  ...fields,
});
const rd = textOption(coapOption.uriPath, 'rd');

test.each([
  ['a request of no method', 'HELLO WORLD\r\n\r\n', '400'],
  ['bytes of something else', Buffer.concat([randomBytes(40), Buffer.from('\r\n\r\n')]), '400'],
  ['a header that never ends', `GET / HTTP/1.1\r\nx: ${'a'.repeat(100_000)}`, '431'],
  ['two lengths', 'POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', '400'],
])('%s is answered, closed and named', async (_what, bytes, status) => {
  expect(await overTcp(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(named).toMatch(new RegExp(`^http: 127\\.0\\.0\\.1: ${status} `, 'm'));
  expect(await overHttp('dev-1', { headers: tokenOf('dev-1') })).toBe(200);
});

test('a device that uses the path of another, and one with a wrong secret, get nothing and are named', async () => {
  expect(await overHttp('dev-2', { headers: tokenOf('dev-1') })).toBe(401);
  expect(named).toMatch(/^http: 127\.0\.0\.1: .*"dev-2"/m);
  expect(await overHttp('dev-1', { headers: tokenOf('dev-1') })).toBe(200);
});

test.each([
  ['more than is read', JSON.stringify({ data: { a: 'x'.repeat(70_000) } }), 413],
  ['what is no JSON', '{"data":', 400],
  ['what has another shape', '{"data":[1]}', 400],
  ['a key that is none', '{"data":{"__proto__":"x"}}', 400],
])('a device that sends %s is refused by name', async (_what, body, status) => {
  const headers = { ...tokenOf('dev-1'), 'content-type': 'application/json' };
  expect(await overHttp('dev-1/configData', { method: 'PUT', headers, body })).toBe(status);
  expect(named).toMatch(/^http: dev-1: /m);
  expect(await overHttp('dev-1', { headers: tokenOf('dev-1') })).toBe(200);
});

test('an option that must be understood and is not is refused, in silence if nobody waits', async () => {
  const proxied = { number: 35, value: new TextEncoder().encode('http://elsewhere/') };
  expect((await overUdp(encodeCoap(request([rd, proxied]))))?.code).toBe(coapCode.badOption);
  expect(await overUdp(encodeCoap(request([rd, proxied], { type: 'non' })))).toBeNull();
  // What may be left out is left out, and the host is everyone's to name.
  const host = textOption(coapOption.uriHost, 'cloud');
  const elective = { number: 2048, value: Uint8Array.of(1) };
  const answer = await overUdp(encodeCoap(request([host, rd, elective])));
  expect(answer?.code).toBe(coapCode.badRequest);
});

test('datagrams that are no CoAP go unanswered', async () => {
  const broken = [
    Uint8Array.of(0x40),
    Uint8Array.of(0x4f, 1, 0, 1, ...randomBytes(15)),
    Uint8Array.of(0x40, 1, 0, 1, 0xff),
    Uint8Array.of(0x40, 1, 0, 1, 0xdd, 0xff),
    randomBytes(1400).fill(0, 0, 1),
  ];
  expect(await overUdp(...broken)).toBeNull();
});

test('a registration that never ends is cut off, and the next device registers all the same', async () => {
  const block = (number: number) =>
    encodeCoap(
      request([rd, blockOption(coapOption.block1, { number, more: true, sizeBytes: 1024 })], {
        messageId: 100 + number,
        payload: new Uint8Array(1024),
      }),
    );
  const { hostname, port } = new URL(cloud.running.coap ?? '');
  const socket = createSocket('udp4');
  const codes: (number | undefined)[] = [];
  for (let number = 0; number <= 64; number++) {
    socket.send(block(number), Number(port), hostname);
    const [bytes] = (await once(socket, 'message')) as [Buffer];
    codes.push(decodeCoap(bytes)?.code);
  }
  socket.close();
  expect(codes.slice(0, 64).every((code) => code === coapCode.continue)).toBe(true);
  expect(codes[64]).toBe(coapCode.tooLarge);
  expect(await (await cloud.lwm2m('dev-3')).register()).toBe('2.01');
});
