import { concat } from '../../formats/bytes.ts';
import { dtlsVersion } from './record.ts';
import { WireReader, uintBytes, vectorBytes } from './wire.ts';

/** Extensions that are used here: RFC 7627, RFC 9146, RFC 5746. */
export const helloExtension = {
  extendedMasterSecret: 23,
  connectionId: 54,
  renegotiationInfo: 0xff01,
} as const;

/** Stands for the extension renegotiation_info among the cipher suites (RFC 5746 3.3). */
export const renegotiationInfoSuite = 0x00ff;

/** Bytes of the random number in each hello. */
export const helloRandomBytes = 32;
const maxSessionIdBytes = 32;
const nullCompression = 0;

/** The beginning of a ClientHello: all that a cookie is checked against. */
export interface ClientHelloHead {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cookie: Uint8Array;
}

/** A ClientHello (RFC 6347 4.2.1). */
export interface ClientHello extends ClientHelloHead {
  readonly suites: readonly number[];
  readonly extensions: ReadonlyMap<number, Uint8Array>;
}

/** A ServerHello (RFC 5246 7.4.1.3). */
export interface ServerHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly suite: number;
  readonly extensions: ReadonlyMap<number, Uint8Array>;
}

/** Reads the head, for which the first fragment of a ClientHello is enough; null when it is none. */
export function readClientHelloHead(fragment: Uint8Array): ClientHelloHead | null {
  const reader = new WireReader(fragment);
  const head = readHead(reader);
  return reader.isSound ? head : null;
}

/** Reads a whole ClientHello; null when it is malformed or offers no way without compression. */
export function readClientHello(body: Uint8Array): ClientHello | null {
  const reader = new WireReader(body);
  const head = readHead(reader);
  const suites = new WireReader(reader.vector(2));
  const compressions = reader.vector(1);
  const extensions = readExtensions(reader);
  if (!reader.isDone || head === null || extensions === null) return null;
  const offered: number[] = [];
  while (suites.leftBytes > 0) offered.push(suites.uint(2));
  if (!suites.isSound || !compressions.includes(nullCompression)) return null;
  return { ...head, suites: offered, extensions };
}

/** A ClientHello's body. */
export function encodeClientHello(hello: ClientHello): Uint8Array {
  return concat(
    uintBytes(hello.version, 2),
    hello.random,
    vectorBytes(hello.sessionId, 1),
    vectorBytes(hello.cookie, 1),
    vectorBytes(concat(...hello.suites.map((suite) => uintBytes(suite, 2))), 2),
    vectorBytes(Uint8Array.of(nullCompression), 1),
    encodeExtensions(hello.extensions),
  );
}

/** Null when it is malformed or wants compression. */
export function readServerHello(body: Uint8Array): ServerHello | null {
  const reader = new WireReader(body);
  const version = reader.uint(2);
  const random = reader.take(helloRandomBytes);
  reader.vector(1);
  const suite = reader.uint(2);
  const compression = reader.uint(1);
  const extensions = readExtensions(reader);
  if (!reader.isDone || compression !== nullCompression || extensions === null) return null;
  return { version, random, suite, extensions };
}

/** A ServerHello's body, with an empty session id: sessions are not resumed. */
export function encodeServerHello(hello: ServerHello): Uint8Array {
  return concat(
    uintBytes(hello.version, 2),
    hello.random,
    vectorBytes(new Uint8Array(0), 1),
    uintBytes(hello.suite, 2),
    uintBytes(nullCompression, 1),
    encodeExtensions(hello.extensions),
  );
}

/** The cookie of a HelloVerifyRequest (RFC 6347 4.2.1); null when it is malformed. */
export function readHelloVerifyRequest(body: Uint8Array): Uint8Array | null {
  const reader = new WireReader(body);
  reader.uint(2);
  const cookie = reader.vector(1);
  return reader.isDone ? cookie : null;
}

/** A HelloVerifyRequest's body; it says DTLS 1.0 whatever will be agreed on. */
export function encodeHelloVerifyRequest(cookie: Uint8Array): Uint8Array {
  return concat(uintBytes(dtlsVersion.dtls10, 2), vectorBytes(cookie, 1));
}

function readHead(reader: WireReader): ClientHelloHead | null {
  const version = reader.uint(2);
  const random = reader.take(helloRandomBytes);
  const sessionId = reader.vector(1);
  const cookie = reader.vector(1);
  if (sessionId.length > maxSessionIdBytes) return null;
  return { version, random, sessionId, cookie };
}

function readExtensions(reader: WireReader): ReadonlyMap<number, Uint8Array> | null {
  const extensions = new Map<number, Uint8Array>();
  // A hello without any may end here.
  if (reader.leftBytes === 0) return extensions;
  const list = new WireReader(reader.vector(2));
  while (list.leftBytes > 0) {
    const type = list.uint(2);
    const data = list.vector(2);
    if (!list.isSound || extensions.has(type)) return null;
    extensions.set(type, data);
  }
  return extensions;
}

function encodeExtensions(extensions: ReadonlyMap<number, Uint8Array>): Uint8Array {
  if (extensions.size === 0) return new Uint8Array(0);
  const list = [...extensions].map(([type, data]) =>
    concat(uintBytes(type, 2), vectorBytes(data, 2)),
  );
  return vectorBytes(concat(...list), 2);
}
