import { createHash } from 'node:crypto';

/** What an image of a test is like. */
export interface EspOptions {
  readonly chipId?: number;
  readonly version?: string;
  /** Date and time of the build, as the compiler writes them. */
  readonly built?: readonly [date: string, time: string];
  readonly entry?: number;
  /** Lowest and highest revision of the chip, in hundredths. */
  readonly revisions?: readonly [lowest: number, highest: number];
  readonly hashed?: boolean;
  /** What the code segment holds. */
  readonly code?: Buffer;
}

function descriptor(version: string, [date, time]: readonly [string, string]): Buffer {
  const bytes = Buffer.alloc(256);
  bytes.writeUInt32LE(0xabcd5432, 0);
  bytes.writeUInt32LE(7, 4);
  bytes.write(version, 16, 'latin1');
  bytes.write('pump-controller', 48, 'latin1');
  bytes.write(time, 80, 'latin1');
  bytes.write(date, 96, 'latin1');
  bytes.write('v5.2.1', 112, 'latin1');
  return bytes;
}

/** An image as ESP-IDF builds it: read-only data with the descriptor, then code. */
export function espImage(options: EspOptions = {}): Buffer {
  const { chipId = 0, version = '2.4.1', entry = 0x4008_0010, hashed = true } = options;
  const segments: [number, Buffer][] = [
    [
      0x3f40_0020,
      Buffer.concat([
        descriptor(version, options.built ?? ['', '']),
        Buffer.from('some text in flash'),
      ]),
    ],
    [0x4008_0000, options.code ?? Buffer.alloc(1000, 0x5a)],
  ];
  const header = Buffer.alloc(24);
  header.set([0xe9, segments.length, 2, 0x20]);
  header.writeUInt32LE(entry, 4);
  header[8] = 0xee;
  header.writeUInt16LE(chipId, 12);
  const [lowest, highest] = options.revisions ?? [0, 0];
  header.writeUInt16LE(lowest, 15);
  header.writeUInt16LE(highest, 17);
  header[23] = hashed ? 1 : 0;
  return closeEspImage(header, segments, hashed);
}

/** Header, segments, checksum and, when asked for, the appended SHA-256. */
export function closeEspImage(
  header: Buffer,
  segments: readonly [number, Buffer][],
  hashed: boolean,
): Buffer {
  let sum = 0xef;
  const parts = [header];
  for (const [address, data] of segments) {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(address, 0);
    head.writeUInt32LE(data.length, 4);
    parts.push(head, data);
    for (const byte of data) sum ^= byte;
  }
  const body = Buffer.concat(parts);
  const end = Buffer.alloc(16 - (body.length % 16));
  end[end.length - 1] = sum;
  const image = Buffer.concat([body, end]);
  return hashed ? Buffer.concat([image, createHash('sha256').update(image).digest()]) : image;
}
