import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { CoapSocket } from '../../electron/coap/coap-socket.ts';
import type { ClientCredentials } from '../../electron/coap/dtls/client-handshake.ts';
import { DtlsClient } from '../../electron/coap/dtls/dtls-client.ts';
import { DtlsServer, type DtlsServerOptions } from '../../electron/coap/dtls/dtls-server.ts';
import type { CoapAddress } from '../../electron/coap/peer.ts';
import { coapCode } from '../../shared/protocols/coap-message.ts';
import { pathOptions } from '../../shared/protocols/coap-options.ts';
import { encodeHandshake, readFragments } from '../../shared/protocols/dtls/handshake.ts';
import { encodeClientHello, readHelloVerifyRequest } from '../../shared/protocols/dtls/hello.ts';
import { encodeRecord, readRecords } from '../../shared/protocols/dtls/record.ts';
import { uintBytes, vectorBytes } from '../../shared/protocols/dtls/wire.ts';
import { until } from '../support/cloud.ts';
import { LossyUdp } from '../support/lossy-udp.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { UdpTap } from '../support/udp-tap.ts';

const key = Buffer.from('0123456789abcdef');
const nothing = new Uint8Array(0);
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that answers each request with who asked, and notes what failed. */
async function serve(limits: DtlsServerOptions['limits'] = {}) {
  const failed: string[] = [];
  const asked: CoapAddress[] = [];
  const server = await DtlsServer.open({
    host: '127.0.0.1',
    port: 0,
    keyOf: (identity) => (identity.startsWith('dev-') ? key : null),
    onFailure: (reason, _from, identity) => failed.push(`${reason} ${identity}`),
    limits,
  });
  const socket = new CoapSocket([server], async ({ from }) => {
    asked.push(from);
    return { code: coapCode.content, payload: Buffer.from(from.session?.identity ?? '') };
  });
  closers.push(() => socket.close());
  return { server, socket, failed, asked };
}

async function connect(port: number, credentials: Partial<ClientCredentials> = {}) {
  const at = { host: '127.0.0.1', port: 0 };
  const client = await DtlsClient.open(at, { identity: 'dev-1', key, ...credentials });
  const socket = new CoapSocket([client], async () => ({ code: coapCode.content }));
  closers.push(() => socket.close());
  const get = async (): Promise<string> => {
    const request = { code: coapCode.get, options: pathOptions(['who']) };
    const answer = await socket.request({ address: '127.0.0.1', port }, request);
    return Buffer.from(answer.payload).toString();
  };
  return { client, socket, get };
}

async function tapOf(server: DtlsServer): Promise<UdpTap> {
  const tap = await UdpTap.start(server.port);
  closers.push(() => tap.stop());
  return tap;
}

test.each([0x00a8, 0xc0a4, 0xc0a8])('both sides talk by suite %i, both ways', async (suite) => {
  const { server, socket, asked } = await serve();
  const { get } = await connect(server.port, { suites: [suite] });
  expect(await get()).toBe('dev-1');
  expect(server.sessions).toBe(1);
  const answer = await socket.request(asked[0] as CoapAddress, {
    code: coapCode.get,
    options: pathOptions(['x']),
  });
  expect(answer.code).toBe(coapCode.content);
});

test('a wrong key and an unknown identity are refused in the same words', async () => {
  const { server, failed } = await serve();
  const attempts = [{ key: Buffer.from('wrong') }, { identity: 'nobody' }];
  const words = await Promise.all(
    attempts.map(async (credentials) => {
      const { get } = await connect(server.port, credentials);
      return get().catch((error: Error) => error.message.replace(/^\S+ /, ''));
    }),
  );
  expect(words).toEqual(Array(2).fill('refused the handshake: decrypt_error'));
  expect(failed.sort()).toEqual(['unknown-identity nobody', 'wrong-key dev-1']);
  expect([server.sessions, server.handshakes]).toEqual([0, 0]);
});

test('an address that fails too often has to wait, and its sessions go on', async () => {
  const { server } = await serve({ failuresOfAddress: 2 });
  const good = await connect(server.port);
  await good.get();
  for (let failures = 0; failures < 2; failures++) {
    const { get } = await connect(server.port, { identity: 'nobody' });
    await expect(get()).rejects.toThrow('decrypt_error');
  }
  const third = await connect(server.port, { identity: 'nobody' });
  third.get().catch(() => undefined);
  await until(
    () => server.counts.droppedRecords.get('too-many-failures') ?? 0,
    (count) => count > 0,
  );
  expect(server.handshakes).toBe(0);
  expect(await good.get()).toBe('dev-1');
});

test('records that come again, are changed or made up are dropped, and the session goes on', async () => {
  const { server, asked } = await serve();
  const tap = await tapOf(server);
  const { get } = await connect(tap.port);
  await get();
  const request = tap.fromClient.at(-1) as Buffer;
  const changed = Buffer.from(request);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  // A fresh number, so that it is not taken for a replay.
  changed.writeUInt32BE(1000, 7);
  const alert = encodeRecord({
    type: 21,
    version: 0xfefd,
    epoch: 0,
    sequence: 9,
    connectionId: nothing,
    fragment: Uint8Array.of(2, 40),
  });
  for (const packet of [request, request, changed, alert, randomBytes(100), Buffer.alloc(0)])
    tap.inject(Buffer.from(packet));
  expect(await get()).toBe('dev-1');
  expect(asked).toHaveLength(2);
  expect(Object.fromEntries(server.counts.droppedRecords)).toMatchObject({
    replayed: 2,
    forged: 1,
  });
  expect(server.sessions).toBe(1);
});

test('handshakes come through a network that loses 10 % of all packets, repeats and reorders some', async () => {
  const { server } = await serve();
  const faults = { lost: 0.1, twice: 0.1, late: 0.1 };
  const network = await LossyUdp.start(server.port, faults, seededRandom(3));
  closers.push(() => network.stop());
  const clients = await Promise.all(
    Array.from({ length: 30 }, (_, index) => connect(network.port, { identity: `dev-${index}` })),
  );
  const found = await Promise.all(clients.map(({ get }) => get()));
  expect(found).toEqual(clients.map((_, index) => `dev-${index}`));
  expect(network.counts.lost).toBeGreaterThan(3);
}, 60_000);

/** The records of handshake messages, each cut into fragments of so many bytes. */
function inFragments(packet: Buffer, sizeBytes: number): Buffer[] {
  return readRecords(packet, 0).flatMap((record) => {
    if (record.type !== 22 || record.epoch > 0) return [Buffer.from(encodeRecord(record))];
    return (readFragments(record.fragment) ?? []).flatMap(({ type, sequence, bytes }) => {
      const pieces: Buffer[] = [];
      for (let offset = 0; offset < bytes.length; offset += sizeBytes) {
        const piece = bytes.subarray(offset, offset + sizeBytes);
        const fragment = Buffer.concat([
          Uint8Array.of(type),
          uintBytes(bytes.length, 3),
          uintBytes(sequence, 2),
          uintBytes(offset, 3),
          vectorBytes(piece, 3),
        ]);
        pieces.push(Buffer.from(encodeRecord({ ...record, fragment })));
      }
      return pieces;
    });
  });
}

test('messages in small fragments are put together, also when one comes late or twice', async () => {
  const { server } = await serve();
  const tap = await tapOf(server);
  tap.toServer = (packet) => {
    // The head of a hello with its cookie comes first; the rest backwards, and some of it twice.
    const [first, ...rest] = inFragments(packet, 60);
    return first ? [first, ...rest.reverse(), ...rest.slice(0, 1)] : [];
  };
  const { get } = await connect(tap.port, { identity: `dev-${'x'.repeat(120)}` });
  expect(await get()).toBe(`dev-${'x'.repeat(120)}`);
});

test('hellos without a cookie leave nothing behind, and half-open handshakes crowd out nobody', async () => {
  const { server, failed } = await serve({ handshakes: 8 });
  const hello = (cookie: Uint8Array): Buffer => {
    const body = encodeClientHello({
      version: 0xfefd,
      random: Buffer.alloc(32, 5),
      sessionId: nothing,
      cookie,
      suites: [0xc0a8],
      extensions: new Map(),
    });
    return Buffer.from(
      encodeRecord({
        type: 22,
        version: 0xfefd,
        epoch: 0,
        sequence: 0,
        connectionId: nothing,
        fragment: encodeHandshake({ type: 1, sequence: 0, body }),
      }),
    );
  };
  const strangers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = createSocket('udp4');
      closers.push(() => new Promise<void>((done) => socket.close(done)));
      socket.send(hello(nothing), server.port, '127.0.0.1');
      const [answer] = (await once(socket, 'message')) as [Buffer];
      // Not more than it takes: nobody is flooded by way of this server.
      expect(answer.length).toBeLessThanOrEqual(hello(nothing).length);
      const [record] = readRecords(answer, 0);
      const [message] = readFragments(record?.fragment ?? nothing) ?? [];
      return { socket, cookie: readHelloVerifyRequest(message?.bytes ?? nothing) ?? nothing };
    }),
  );
  expect(server.handshakes).toBe(0);
  for (const { socket, cookie } of strangers) {
    // The cookie of another address does not help.
    socket.send(hello(strangers[0]?.cookie ?? nothing), server.port, '127.0.0.1');
    socket.send(hello(cookie), server.port, '127.0.0.1');
  }
  await until(
    () => failed.filter((line) => line === 'crowded-out null').length,
    (count) => count >= 32,
  );
  expect(server.handshakes).toBe(8);
  const { get } = await connect(server.port);
  expect(await get()).toBe('dev-1');
});

test('a session with a connection id goes on from another port; without one it begins anew', async () => {
  const { server, asked } = await serve();
  const [tap, other] = [await tapOf(server), await tapOf(server)];
  const moving = await connect(tap.port, { wantsConnectionId: true });
  const fixed = await connect(other.port, { identity: 'dev-2' });
  await moving.get();
  await fixed.get();
  await tap.move();
  await other.move();
  expect(await moving.get()).toBe('dev-1');
  expect(server.counts.handshakes).toBe(2);
  expect(asked[0]?.session?.id).toBe(asked[2]?.session?.id);
  expect(asked[0]?.port).not.toBe(asked[2]?.port);
  // A record of before the move does not move it back.
  const old = tap.fromClient.at(-2) as Buffer;
  tap.inject(Buffer.from(old));
  expect(await moving.get()).toBe('dev-1');
});

test('an identity has a few sessions at most, the server so many in all, and the newest stay', async () => {
  const { server } = await serve({ sessionsOfIdentity: 2, sessions: 3 });
  const first = await connect(server.port);
  await first.get();
  for (const identity of ['dev-1', 'dev-1', 'dev-2', 'dev-3'])
    await (await connect(server.port, { identity })).get();
  expect(server.sessions).toBe(3);
  // It was told so, and begins anew.
  expect(await first.get()).toBe('dev-1');
  expect(server.counts.handshakes).toBe(6);
});

test('a session that ends ends what waits for its answer, on both sides', async () => {
  const { server, socket, asked } = await serve();
  const { client, get } = await connect(server.port);
  await get();
  const peer = asked[0] as CoapAddress;
  server.endSessionsOf('dev-1', 'has lost its key');
  expect(server.reaches(peer)).toBe(false);
  const ask = () => socket.request(peer, { code: coapCode.get, options: [] });
  await expect(ask()).rejects.toThrow('has no connection any longer');
  // The client hears of it, at the latest by the end of its next request, and begins anew.
  await until(
    () => get().catch((error: Error) => error.message),
    (found) => found === 'dev-1',
  );
  const again = asked.at(-1) as CoapAddress;
  client.onDatagram = () => undefined;
  const waiting = socket.request(again, { code: coapCode.get, options: [] });
  await client.close();
  await expect(waiting).rejects.toThrow('has closed its session');
});
