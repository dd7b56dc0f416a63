import { concat } from '../../formats/bytes.ts';
import { WireReader, uintBytes, vectorBytes } from './wire.ts';

/** Content types of records (RFC 5246 6.2.1, RFC 9146 3). */
export const contentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
  connectionId: 25,
} as const;

/** Versions as they stand in records and hellos. */
export const dtlsVersion = { dtls10: 0xfeff, dtls12: 0xfefd } as const;

/** Most bytes that a record may carry when it is not protected (RFC 6347 4.1). */
export const maxPlaintextBytes = 16_384;

const versionBytes = 2;
const epochBytes = 2;
const sequenceBytes = 6;
const fragmentLengthBytes = 2;

/** One record of DTLS 1.2 (RFC 6347 4.1); `fragment` is a view. */
export interface DtlsRecord {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  /** Up to 48 bits. */
  readonly sequence: number;
  /** Of a record with a connection id (RFC 9146), else empty. */
  readonly connectionId: Uint8Array;
  readonly fragment: Uint8Array;
}

/**
 * Reads the records of a datagram up to the first one that is malformed: what follows it cannot be
 * found. A record of type 25 carries a connection id of `connectionIdBytes`.
 */
export function readRecords(datagram: Uint8Array, connectionIdBytes: number): DtlsRecord[] {
  const reader = new WireReader(datagram);
  const records: DtlsRecord[] = [];
  while (reader.leftBytes > 0) {
    const type = reader.uint(1);
    const version = reader.uint(versionBytes);
    const epoch = reader.uint(epochBytes);
    const sequence = reader.uint(sequenceBytes);
    const connectionId = reader.take(type === contentType.connectionId ? connectionIdBytes : 0);
    const fragment = reader.vector(fragmentLengthBytes);
    const isKnown = type === contentType.connectionId || (type >= 20 && type <= 23);
    if (!reader.isSound || !isKnown || version >> 8 !== 0xfe) break;
    records.push({ type, version, epoch, sequence, connectionId, fragment });
  }
  return records;
}

/** A record as it is sent. */
export function encodeRecord(record: DtlsRecord): Uint8Array {
  return concat(
    uintBytes(record.type, 1),
    uintBytes(record.version, versionBytes),
    uintBytes(record.epoch, epochBytes),
    uintBytes(record.sequence, sequenceBytes),
    record.connectionId,
    vectorBytes(record.fragment, fragmentLengthBytes),
  );
}
