import type { CipherSuite } from '../../../shared/protocols/dtls/cipher-suite.ts';
import {
  type DtlsRecord,
  contentType,
  dtlsVersion,
  encodeRecord,
  maxPlaintextBytes,
} from '../../../shared/protocols/dtls/record.ts';
import { ReplayWindow } from '../../../shared/protocols/dtls/replay-window.ts';
import { uintBytes } from '../../../shared/protocols/dtls/wire.ts';
import type { ConnectionKeys } from './key-schedule.ts';
import { RecordProtection } from './record-protection.ts';

/** The only epoch with keys, since nothing is negotiated again. */
const protectedEpoch = 1;
const nothing = new Uint8Array(0);
const unknownSequence = new Uint8Array(8).fill(0xff);

/** What a protected record held. */
export interface OpenedRecord {
  readonly type: number;
  readonly content: Uint8Array;
  /** Whether no record with a higher number has come before. */
  readonly isNewest: boolean;
}

/** Connection ids of both sides (RFC 9146); each is sent by the other side. */
export interface ConnectionIds {
  readonly own: Uint8Array;
  readonly peer: Uint8Array;
}

/** Seals and opens the records of an established connection, each of those that come only once. */
export class SecureChannel {
  readonly #write: RecordProtection;
  readonly #read: RecordProtection;
  readonly #ids: ConnectionIds | null;
  readonly #window = new ReplayWindow();
  #sequence = 0;

  constructor(
    suite: CipherSuite,
    side: 'client' | 'server',
    keys: ConnectionKeys,
    ids: ConnectionIds | null,
  ) {
    this.#write = new RecordProtection(suite, keys[side]);
    this.#read = new RecordProtection(suite, keys[side === 'client' ? 'server' : 'client']);
    this.#ids = ids;
  }

  /** A record that is ready to be sent. */
  seal(type: number, content: Uint8Array): Uint8Array {
    const sequence = this.#sequence++;
    const connectionId = this.#ids?.peer ?? nothing;
    const hidden = connectionId.length > 0;
    const head = {
      type: hidden ? contentType.connectionId : type,
      version: dtlsVersion.dtls12,
      epoch: protectedEpoch,
      sequence,
      connectionId,
    };
    const plaintext = hidden ? Buffer.concat([content, Uint8Array.of(type)]) : content;
    const additional = additionalData(head, plaintext.length);
    const fragment = this.#write.seal(placeOf(head), additional, plaintext);
    return encodeRecord({ ...head, fragment });
  }

  /** Opens a record; `replayed` when it has come before, `forged` when it is not authentic. */
  open(record: DtlsRecord): OpenedRecord | 'replayed' | 'forged' {
    const expected = this.#ids?.own ?? nothing;
    const isHidden = record.type === contentType.connectionId;
    if (record.epoch !== protectedEpoch || record.version !== dtlsVersion.dtls12) return 'forged';
    if (isHidden !== expected.length > 0) return 'forged';
    if (isHidden && !Buffer.from(expected).equals(record.connectionId)) return 'forged';
    if (!this.#window.isFresh(record.sequence)) return 'replayed';
    const sizeBytes = record.fragment.length - this.#read.overheadBytes;
    if (sizeBytes < 0 || sizeBytes > maxPlaintextBytes + 1) return 'forged';
    const plaintext = this.#read.open(additionalData(record, sizeBytes), record.fragment);
    if (plaintext === null) return 'forged';
    const isNewest = this.#window.note(record.sequence);
    if (!isHidden) return { type: record.type, content: plaintext, isNewest };
    // The content type is the last byte that is not padding (RFC 9146 4).
    let end = plaintext.length - 1;
    while (end >= 0 && plaintext[end] === 0) end--;
    return {
      type: plaintext[end] ?? 0,
      content: plaintext.subarray(0, Math.max(0, end)),
      isNewest,
    };
  }
}

type RecordHead = Omit<DtlsRecord, 'fragment'>;

const placeOf = ({ epoch, sequence }: RecordHead): Uint8Array =>
  Buffer.concat([uintBytes(epoch, 2), uintBytes(sequence, 6)]);

/** RFC 5246 6.2.3.3, and RFC 9146 5.3 for a record with a connection id. */
function additionalData(head: RecordHead, sizeBytes: number): Uint8Array {
  const { type, version, connectionId } = head;
  const start = [Uint8Array.of(type), uintBytes(version, 2)];
  const size = uintBytes(sizeBytes, 2);
  if (type !== contentType.connectionId) return Buffer.concat([placeOf(head), ...start, size]);
  const idLength = Uint8Array.of(type, connectionId.length);
  return Buffer.concat([unknownSequence, idLength, ...start, placeOf(head), connectionId, size]);
}
