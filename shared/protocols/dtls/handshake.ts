import { concat } from '../../formats/bytes.ts';
import { WireReader, uintBytes, vectorBytes } from './wire.ts';

/** Types of handshake messages (RFC 5246 7.4, RFC 6347 4.3.2) of a handshake with a shared key. */
export const handshakeType = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  serverKeyExchange: 12,
  serverHelloDone: 14,
  clientKeyExchange: 16,
  finished: 20,
} as const;

/** One handshake message. */
export interface HandshakeMessage {
  readonly type: number;
  /** message_seq: its number among the messages of its sender. */
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** A piece of a handshake message (RFC 6347 4.2.3); `bytes` is a view. */
export interface HandshakeFragment {
  readonly type: number;
  readonly sequence: number;
  /** Size of the whole body. */
  readonly sizeBytes: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The fragments in a handshake record; null when it is malformed. */
export function readFragments(record: Uint8Array): HandshakeFragment[] | null {
  const reader = new WireReader(record);
  const fragments: HandshakeFragment[] = [];
  while (reader.leftBytes > 0) {
    const type = reader.uint(1);
    const sizeBytes = reader.uint(3);
    const sequence = reader.uint(2);
    const offset = reader.uint(3);
    const bytes = reader.vector(3);
    if (!reader.isSound || offset + bytes.length > sizeBytes) return null;
    fragments.push({ type, sequence, sizeBytes, offset, bytes });
  }
  return fragments;
}

/** A message in one fragment: as it is sent, and as both sides hash it (RFC 6347 4.2.6). */
export function encodeHandshake({ type, sequence, body }: HandshakeMessage): Uint8Array {
  return concat(
    uintBytes(type, 1),
    uintBytes(body.length, 3),
    uintBytes(sequence, 2),
    uintBytes(0, 3),
    vectorBytes(body, 3),
  );
}
