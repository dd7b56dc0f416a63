import { concat, latin1Bytes, latin1Text } from './bytes.ts';
import { crc16Ccitt } from './crc16.ts';

/** Operations, groups and commands of SMP (Zephyr documentation, "SMP Protocol Specification"). */
export const smp = {
  read: 0,
  write: 2,
  osGroup: 0,
  imageGroup: 1,
  echo: 0,
  reset: 5,
  parameters: 6,
  info: 7,
  imageState: 0,
  imageUpload: 1,
} as const;

/** Result codes of SMP, in words. */
export const smpErrors: Readonly<Record<number, string>> = {
  1: 'unknown error',
  2: 'out of memory',
  3: 'a value is invalid',
  4: 'timed out',
  5: 'no such entry',
  6: 'not in this state',
  7: 'the answer is too large',
  8: 'not supported',
  9: 'damaged',
  10: 'busy, try again',
  11: 'access denied',
  12: 'this protocol version is too old',
  13: 'this protocol version is too new',
};

/** One SMP message: header fields and its CBOR body. */
export interface SmpPacket {
  readonly op: number;
  readonly version: number;
  readonly group: number;
  readonly sequence: number;
  readonly command: number;
  readonly body: Uint8Array;
}

/** Bytes of the header. */
export const smpHeaderBytes = 8;

/** A packet as bytes. */
export function encodeSmp({ op, version, group, sequence, command, body }: SmpPacket): Uint8Array {
  const head = [(version << 3) | op, 0, body.length >> 8, body.length & 0xff];
  return concat(Uint8Array.of(...head, group >> 8, group & 0xff, sequence, command), body);
}

/** Reads a packet; null when it is not whole. */
export function decodeSmp(bytes: Uint8Array): SmpPacket | null {
  if (bytes.length < smpHeaderBytes) return null;
  const [first = 0, , high = 0, low = 0, groupHigh = 0, groupLow = 0, sequence = 0, command = 0] =
    bytes;
  const body = bytes.subarray(smpHeaderBytes);
  if (body.length !== ((high << 8) | low)) return null;
  const group = (groupHigh << 8) | groupLow;
  return { op: first & 7, version: (first >> 3) & 3, group, sequence, command, body };
}

const firstMark = [0x06, 0x09] as const;
const nextMark = [0x04, 0x14] as const;
const lineEnd = 0x0a;
/** Raw bytes of a line of 127 bytes with its marks and its end. */
const lineBytes = 93;
/** Bytes around a packet in its frame: length and CRC. */
export const frameBytes = 4;

/** Frames a packet for a console (Zephyr documentation, "SMP over console"). */
export function encodeSmpFrame(packet: Uint8Array): Uint8Array {
  const length = packet.length + 2;
  const crc = crc16Ccitt(packet);
  const frame = concat(
    Uint8Array.of(length >> 8, length & 0xff),
    packet,
    Uint8Array.of(crc >> 8, crc & 0xff),
  );
  const lines: Uint8Array[] = [];
  for (let at = 0; at < frame.length; at += lineBytes) {
    const text = btoa(latin1Text(frame.subarray(at, at + lineBytes)));
    const mark = at === 0 ? firstMark : nextMark;
    lines.push(Uint8Array.of(...mark), latin1Bytes(text), Uint8Array.of(lineEnd));
  }
  return concat(...lines);
}

/** Takes packets out of what a console prints; lines that are no frames, and damaged frames, are left out. */
export class SmpFrameDecoder {
  #line: number[] = [];
  #frame: Uint8Array | null = null;

  /** Returns the packets that end in these bytes. */
  push(bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (const byte of bytes) {
      if (byte !== lineEnd) {
        this.#line.push(byte);
        continue;
      }
      const packet = this.#endLine();
      if (packet) packets.push(packet);
      this.#line = [];
    }
    return packets;
  }

  #endLine(): Uint8Array | null {
    const at = this.#line.findIndex((byte, index) =>
      [firstMark, nextMark].some((mark) => byte === mark[0] && this.#line[index + 1] === mark[1]),
    );
    if (at < 0) return null;
    const isFirst = this.#line[at] === firstMark[0];
    const part = fromBase64(this.#line.slice(at + 2));
    if (part === null || (!isFirst && this.#frame === null)) {
      this.#frame = null;
      return null;
    }
    this.#frame = isFirst ? part : concat(this.#frame ?? new Uint8Array(), part);
    return this.#takeFrame(this.#frame);
  }

  #takeFrame(frame: Uint8Array): Uint8Array | null {
    const length = ((frame[0] ?? 0) << 8) | (frame[1] ?? 0);
    if (frame.length < 2 || frame.length < length + 2) return null;
    this.#frame = null;
    // The CRC of a packet with its CRC behind it is 0.
    const checked = frame.subarray(2, length + 2);
    return length > 2 && crc16Ccitt(checked) === 0 ? checked.subarray(0, length - 2) : null;
  }
}

function fromBase64(line: readonly number[]): Uint8Array | null {
  try {
    return latin1Bytes(atob(String.fromCharCode(...line).trim()));
  } catch {
    return null;
  }
}
