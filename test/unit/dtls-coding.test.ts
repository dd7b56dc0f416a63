import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openCcm, sealCcm } from '../../electron/coap/dtls/aes-ccm.ts';
import { prf } from '../../electron/coap/dtls/key-schedule.ts';
import { concat } from '../../shared/formats/bytes.ts';
import { readAlert } from '../../shared/protocols/dtls/alert.ts';
import { HandshakeInbox } from '../../shared/protocols/dtls/handshake-inbox.ts';
import {
  type HandshakeFragment,
  encodeHandshake,
  readFragments,
} from '../../shared/protocols/dtls/handshake.ts';
import {
  encodeClientHello,
  encodeServerHello,
  readClientHello,
  readClientHelloHead,
  readHelloVerifyRequest,
  readServerHello,
} from '../../shared/protocols/dtls/hello.ts';
import { encodeIdentity, readIdentity } from '../../shared/protocols/dtls/key-exchange.ts';
import { encodeRecord, readRecords } from '../../shared/protocols/dtls/record.ts';
import { ReplayWindow } from '../../shared/protocols/dtls/replay-window.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test('AES-CCM is that of NIST SP 800-38C, example 3', () => {
  const key = hex('404142434445464748494a4b4c4d4e4f');
  const nonce = hex('101112131415161718191a1b');
  const additional = hex('000102030405060708090a0b0c0d0e0f10111213');
  const plaintext = hex('202122232425262728292a2b2c2d2e2f3031323334353637');
  const sealed = hex('e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5 484392fbc1b09951');
  expect(sealCcm(key, nonce, additional, plaintext, 8)).toEqual(sealed);
  expect(openCcm(key, nonce, additional, sealed, 8)).toEqual(plaintext);
});

test('AES-CCM of any length is that of OpenSSL, and opens only as it was sealed', () => {
  const property = fc.property(
    bytes(16),
    bytes(12),
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom(8, 16),
    fc.nat(),
    (key, nonce, additional, plaintext, tagBytes, place) => {
      const cipher = createCipheriv('aes-128-ccm', key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(additional, { plaintextLength: plaintext.length });
      const expected = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      const sealed = sealCcm(key, nonce, additional, plaintext, tagBytes);
      expect(sealed).toEqual(Buffer.concat([expected, cipher.getAuthTag()]));
      expect(openCcm(key, nonce, additional, sealed, tagBytes)).toEqual(Buffer.from(plaintext));
      const changed = Buffer.from(sealed);
      changed[place % changed.length] = (changed[place % changed.length] ?? 0) ^ 1;
      expect(openCcm(key, nonce, additional, changed, tagBytes)).toBeNull();
      expect(openCcm(key, nonce, [...additional, 1] as never, sealed, tagBytes)).toBeNull();
    },
  );
  fc.assert(property, { numRuns: 100 });
});

test('the PRF of TLS 1.2 gives the published output', () => {
  const secret = hex('9bbe436ba940f017b17652849a71db35');
  const seed = hex('a0ba9f936cda311827a6f796ffd5198c');
  const expected =
    'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66';
  expect(Buffer.from(prf(secret, 'test label', seed, 100)).toString('hex')).toBe(expected);
});

test('a record comes once, in whichever order, and not when it is older than the window', () => {
  const property = fc.property(
    fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 300 }),
    (sequences) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let newest = -1;
      for (const sequence of sequences) {
        const isFresh = !seen.has(sequence) && sequence > newest - 64;
        expect(window.isFresh(sequence)).toBe(isFresh);
        if (!isFresh) continue;
        expect(window.note(sequence)).toBe(sequence > newest);
        seen.add(sequence);
        newest = Math.max(newest, sequence);
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test('messages come whole and in order from fragments that overlap, repeat and come in any order', () => {
  const property = fc.property(
    fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(3), fc.nat(40), fc.nat(40)), { maxLength: 40 }),
    fc.nat(),
    (bodies, pieces, first) => {
      const inbox = new HandshakeInbox(first);
      const fragment = (index: number, start: number, end: number): HandshakeFragment => {
        const body = bodies[index] ?? new Uint8Array();
        const offset = Math.min(start, body.length);
        const piece = body.subarray(offset, Math.max(offset, Math.min(end, body.length)));
        const sizeBytes = body.length;
        return { type: index, sequence: first + index, sizeBytes, offset, bytes: piece };
      };
      const found: number[] = [];
      const take = (index: number, start: number, end: number): void => {
        inbox.take(fragment(index, start, end));
        for (let message = inbox.next(); message; message = inbox.next()) {
          expect(message).toMatchObject({ type: found.length, sequence: first + found.length });
          expect(message.body).toEqual(bodies[found.length]);
          found.push(message.type);
        }
      };
      for (const [index, start, size] of pieces)
        if (index < bodies.length) take(index, start, start + size);
      for (const index of bodies.keys()) take(bodies.length - 1 - index, 0, 40);
      expect(found).toHaveLength(bodies.length);
      expect(inbox.take(fragment(0, 0, 40))).toBe('old');
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test('what would fill the memory, or contradicts what came before, is refused', () => {
  const inbox = new HandshakeInbox(1);
  const piece = { type: 1, sequence: 1, sizeBytes: 100, offset: 0, bytes: new Uint8Array(10) };
  expect(inbox.take({ ...piece, sizeBytes: 8193 })).toBe('refused');
  expect(inbox.take({ ...piece, sequence: 5 })).toBe('refused');
  expect(inbox.take(piece)).toBe('kept');
  expect(inbox.take({ ...piece, sizeBytes: 90 })).toBe('refused');
  expect(inbox.take({ ...piece, type: 2 })).toBe('refused');
});

const extensions = fc
  .uniqueArray(fc.tuple(fc.nat(0xffff), fc.uint8Array({ maxLength: 20 })), {
    selector: ([type]) => type,
    maxLength: 5,
  })
  .map((list) => new Map(list));

test('hellos, records and identities are read as they were written', () => {
  const hello = fc.record({
    version: fc.constant(0xfefd),
    random: bytes(32),
    sessionId: fc.uint8Array({ maxLength: 32 }),
    cookie: fc.uint8Array({ maxLength: 255 }),
    suites: fc.array(fc.nat(0xffff), { maxLength: 20 }),
    extensions,
  });
  const client = fc.property(hello, (written) => {
    const body = encodeClientHello(written);
    expect(readClientHello(body)).toEqual(written);
    const { version, random, sessionId, cookie } = written;
    // The first fragment is enough for the cookie.
    const head = body.subarray(0, 36 + sessionId.length + cookie.length);
    expect(readClientHelloHead(head)).toEqual({ version, random, sessionId, cookie });
    expect(readClientHelloHead(head.subarray(0, -1))).toBeNull();
    expect(readClientHello(Buffer.concat([body, Buffer.of(0)]))).toBeNull();
  });
  fc.assert(client, { numRuns: 50 });
  const server = { version: 0xfefd, random: Buffer.alloc(32, 7), suite: 0xc0a8 };
  const written = { ...server, extensions: new Map([[23, Buffer.alloc(0)]]) };
  expect(readServerHello(encodeServerHello(written))).toMatchObject({ suite: 0xc0a8 });
  expect(readIdentity(encodeIdentity(Buffer.alloc(256, 65)))).toHaveLength(256);
  expect(readIdentity(encodeIdentity(Buffer.alloc(257, 65)))).toBeNull();
  const record = {
    type: 25,
    version: 0xfefd,
    epoch: 1,
    sequence: 2 ** 48 - 1,
    connectionId: Uint8Array.of(1, 2, 3),
    fragment: Uint8Array.of(9, 9),
  };
  const twice = concat(encodeRecord(record), encodeRecord(record));
  expect(readRecords(twice, 3)).toEqual([record, record]);
  expect(readRecords(twice.subarray(0, -1), 3)).toEqual([record]);
});

test('no bytes that come in make a reader fail otherwise than by saying so', () => {
  const start = encodeHandshake({ type: 1, sequence: 0, body: new Uint8Array(60) });
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 100 }).map((tail) => Buffer.concat([start, tail])),
    fc.tuple(fc.nat(60), fc.nat(255)).map(([place, value]) => {
      const changed = Buffer.from(start);
      changed[place] = value;
      return changed;
    }),
  );
  const property = fc.property(hostile, (input) => {
    for (const { fragment } of readRecords(input, 8)) readFragments(fragment);
    for (const { bytes: piece } of readFragments(input) ?? []) readClientHello(piece);
    for (const read of [readClientHello, readClientHelloHead, readServerHello, readIdentity])
      read(input);
    readHelloVerifyRequest(input);
    readAlert(input);
  });
  fc.assert(property, { numRuns: 2000 });
});
