import { decodeHex, type Line, LineSplitter } from './hex-lines.ts';
import { ImageBuilder, type Segment } from './image-builder.ts';
import { hexAddress, hexByte, type Report } from './report.ts';

/** Address bytes of each record type S0..S9; 0 marks the reserved S4. */
const addressBytes = [2, 2, 3, 4, 0, 2, 3, 4, 3, 2] as const;
const letterS = 0x53;
const mostDamage = 100;

/** What an S-record file holds. */
export interface SRecordContent {
  readonly segments: readonly Segment[];
  /** Text of the S0 record, null without one. */
  readonly header: string | null;
  /** Address of the S7, S8 or S9 record. */
  readonly startAddress: number | null;
}

/**
 * Reads Motorola S-records (S19, S28, S37) from chunks of any size.
 * Source: Motorola M68000 Family Programmer's Reference Manual, appendix C.
 */
export class SRecordReader {
  readonly #report: Report;
  readonly #onData: ((bytes: Uint8Array) => void) | undefined;
  readonly #image = new ImageBuilder();
  readonly #record = new Uint8Array(600);
  readonly #widths = new Set<number>();
  readonly #lines: LineSplitter;
  #dataRecords = 0;
  #damaged = 0;
  #header: string | null = null;
  #end: { type: number; address: number; line: number } | undefined;
  #toldAfterEnd = false;

  /** `onData` receives the decoded bytes of every good data record in file order. */
  constructor(report: Report, onData?: (bytes: Uint8Array) => void) {
    this.#report = report;
    this.#onData = onData;
    this.#lines = new LineSplitter(
      (line) => this.#read(line),
      (line, offset) => {
        this.#damaged += 1;
        report('s-record.syntax', `line ${line}: longer than any S-record can be`, { offset });
      },
    );
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  finish(): SRecordContent {
    this.#lines.finish();
    const report = this.#report;
    const { segments, overlaps } = this.#image.finish();
    for (const { address, sizeBytes, line, offset, same } of overlaps) {
      const detail = `line ${line}: ${sizeBytes} bytes at ${hexAddress(address)} were set before`;
      if (same) report('s-record.redundant', `${detail} to the same values`, { offset });
      else report('s-record.overlap', `${detail} to other values`, { offset });
    }
    if (this.#image.sizeBytes === 0) report('s-record.no-data', 'no S1, S2 or S3 record with data');
    if (this.#end === undefined) report('s-record.no-end', 'no S7, S8 or S9 record at the end');
    if (this.#header === null) report('s-record.no-header', 'no S0 record');
    if (this.#widths.size > 1) {
      const types = [...this.#widths].sort().map((type) => `S${type}`);
      report('s-record.mixed', `data records of types ${types.join(', ')}`);
    }
    if (!this.#image.ascending) report('s-record.order', 'a data record lies below the one before');
    const end = this.#end;
    const onlyWidth = this.#widths.size === 1 ? [...this.#widths][0] : undefined;
    if (end !== undefined && onlyWidth !== undefined && end.type !== 10 - onlyWidth) {
      report('s-record.end-mismatch', `line ${end.line}: S${end.type} ends S${onlyWidth} data`, {
        expected: `S${10 - onlyWidth}`,
        found: `S${end.type}`,
      });
    }
    return { segments, header: this.#header, startAddress: end?.address ?? null };
  }

  /** Returns false when so much is broken that reading on tells nothing new. */
  #read(line: Line): boolean {
    if (!this.#readRecord(line)) this.#damaged += 1;
    return this.#damaged < mostDamage;
  }

  #readRecord({ bytes, start, end, line, offset }: Line): boolean {
    const type = (bytes[start + 1] ?? 0) - 0x30;
    if (bytes[start] !== letterS || end - start < 4 || type < 0 || type > 9) {
      this.#report('s-record.syntax', `line ${line}, column 1: does not begin with S and a digit`, {
        offset,
      });
      return false;
    }
    const width = addressBytes[type] ?? 0;
    if (width === 0) {
      this.#report('s-record.type', `line ${line}, column 2: S${type} is reserved`, {
        offset: offset + 1,
        found: `S${type}`,
      });
      return false;
    }
    // A longer line would not fit the record buffer; the count byte reaches 255 at most.
    const stop = Math.min(end, start + 2 + 2 * 300);
    const wrong = decodeHex(bytes, start + 2, stop, this.#record);
    if (wrong >= 0) {
      const column = wrong - start + 1;
      this.#report('s-record.syntax', `line ${line}, column ${column}: not a hexadecimal digit`, {
        offset: offset + wrong - start,
        found: `0x${hexByte(bytes[wrong] ?? 0)}`,
      });
      return false;
    }
    const record = this.#record;
    const count = record[0] ?? 0;
    if (end - start !== 4 + count * 2 || count < width + 1) {
      this.#report('s-record.length', `line ${line}, column 3: count byte says ${count}`, {
        offset: offset + 2,
        expected: `${count} bytes, at least ${width + 1}`,
        found: `${(end - start - 4) / 2} bytes`,
      });
      return false;
    }
    let sum = 0;
    for (let index = 0; index < count; index += 1) sum += record[index] ?? 0;
    const expected = ~sum & 0xff;
    const found = record[count] ?? 0;
    if (expected !== found) {
      const column = 3 + count * 2;
      this.#report('s-record.checksum', `line ${line}, column ${column}: checksum`, {
        offset: offset + column - 1,
        expected: hexByte(expected),
        found: hexByte(found),
      });
      return false;
    }
    let address = 0;
    for (let index = 1; index <= width; index += 1) address = address * 256 + (record[index] ?? 0);
    this.#accept(type, address, width, count, line, offset);
    return true;
  }

  #accept(
    type: number,
    address: number,
    width: number,
    count: number,
    line: number,
    offset: number,
  ): void {
    const record = this.#record;
    if (type === 0) {
      this.#header ??= String.fromCharCode(...record.subarray(1 + width, count)).replace(
        /[^\x20-\x7e]/g,
        '',
      );
    } else if (type <= 3) {
      if (this.#end !== undefined && !this.#toldAfterEnd) {
        this.#toldAfterEnd = true;
        const where = `line ${line}: data after the end record of line ${this.#end.line}`;
        this.#report('s-record.after-end', where, { offset });
      }
      this.#dataRecords += 1;
      this.#widths.add(type);
      if (address + count - width - 1 > 256 ** width) {
        this.#report('s-record.length', `line ${line}: runs over the highest address`, { offset });
      } else {
        this.#image.add(address, record, 1 + width, count, { line, offset });
      }
      this.#onData?.(record.subarray(1 + width, count));
    } else if (type <= 6) {
      if (address !== this.#dataRecords) {
        this.#report('s-record.count', `line ${line}: S${type} counts the data records`, {
          offset,
          expected: String(address),
          found: String(this.#dataRecords),
        });
      }
    } else if (this.#end === undefined) {
      this.#end = { type, address, line };
    }
  }
}
