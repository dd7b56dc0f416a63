import { decodeHex, type Line, LineSplitter } from './hex-lines.ts';
import { ImageBuilder, type Segment } from './image-builder.ts';
import { hexAddress, hexByte, type Report } from './report.ts';

const colon = 0x3a;
const mostDamage = 100;
/** Data length that each record type must have; undefined = any. */
const requiredBytes = [undefined, 0, 2, 4, 2, 4] as const;

/** What an Intel HEX file holds. */
export interface IntelHexContent {
  readonly segments: readonly Segment[];
  /** From record 03 (CS:IP as a linear address) or 05. */
  readonly startAddress: number | null;
}

/**
 * Reads Intel HEX (I8HEX, I16HEX, I32HEX) from chunks of any size.
 * Source: Intel Hexadecimal Object File Format Specification, revision A (1988).
 */
export class IntelHexReader {
  readonly #report: Report;
  readonly #onData: ((bytes: Uint8Array) => void) | undefined;
  readonly #image = new ImageBuilder();
  readonly #record = new Uint8Array(600);
  readonly #lines: LineSplitter;
  #damaged = 0;
  #base = 0;
  #segmented = false;
  #startAddress: number | null = null;
  #endLine = 0;
  readonly #toldAfterEnd = new Set<string>();

  /** `onData` receives the decoded bytes of every good data record in file order. */
  constructor(report: Report, onData?: (bytes: Uint8Array) => void) {
    this.#report = report;
    this.#onData = onData;
    this.#lines = new LineSplitter(
      (line) => this.#read(line),
      (line, offset) => {
        this.#damaged += 1;
        report('intel-hex.syntax', `line ${line}: longer than any record can be`, { offset });
      },
    );
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  finish(): IntelHexContent {
    this.#lines.finish();
    const { segments, overlaps } = this.#image.finish();
    for (const { address, sizeBytes, line, offset, same } of overlaps) {
      const detail = `line ${line}: ${sizeBytes} bytes at ${hexAddress(address)} were set before`;
      if (same) this.#report('intel-hex.redundant', `${detail} to the same values`, { offset });
      else this.#report('intel-hex.overlap', `${detail} to other values`, { offset });
    }
    if (this.#image.sizeBytes === 0) this.#report('intel-hex.no-data', 'no data record');
    if (this.#endLine === 0) {
      this.#report('intel-hex.no-end', 'the last record is not the end record', {
        expected: ':00000001FF',
      });
    }
    return { segments, startAddress: this.#startAddress };
  }

  #read(line: Line): boolean {
    if (!this.#readRecord(line)) this.#damaged += 1;
    return this.#damaged < mostDamage;
  }

  #readRecord({ bytes, start, end, line, offset }: Line): boolean {
    if (bytes[start] !== colon) {
      this.#report('intel-hex.syntax', `line ${line}, column 1: does not begin with ":"`, {
        offset,
        found: `0x${hexByte(bytes[start] ?? 0)}`,
      });
      return false;
    }
    const stop = Math.min(end, start + 1 + 2 * 300);
    const wrong = decodeHex(bytes, start + 1, stop, this.#record);
    if (wrong >= 0) {
      const column = wrong - start + 1;
      this.#report('intel-hex.syntax', `line ${line}, column ${column}: not a hexadecimal digit`, {
        offset: offset + wrong - start,
        found: `0x${hexByte(bytes[wrong] ?? 0)}`,
      });
      return false;
    }
    const record = this.#record;
    const count = record[0] ?? 0;
    if (end - start !== 11 + count * 2) {
      this.#report('intel-hex.length', `line ${line}, column 2: length byte says ${count}`, {
        offset: offset + 1,
        expected: `${11 + count * 2} characters`,
        found: `${end - start} characters`,
      });
      return false;
    }
    let sum = 0;
    for (let index = 0; index < count + 4; index += 1) sum += record[index] ?? 0;
    const expected = -sum & 0xff;
    const found = record[count + 4] ?? 0;
    if (expected !== found) {
      const column = 10 + count * 2;
      this.#report('intel-hex.checksum', `line ${line}, column ${column}: checksum`, {
        offset: offset + column - 1,
        expected: hexByte(expected),
        found: hexByte(found),
      });
      return false;
    }
    if (this.#endLine > 0) {
      this.#tellAfterEnd(record[3] ?? 0, line, offset);
      return true;
    }
    return this.#accept(record[3] ?? 0, count, line, offset);
  }

  /** Only data behind the end record is lost; some linkers append records of their own there. */
  #tellAfterEnd(type: number, line: number, offset: number): void {
    const rule = type === 0 ? 'intel-hex.after-end' : 'intel-hex.after-end-other';
    if (this.#toldAfterEnd.has(rule)) return;
    this.#toldAfterEnd.add(rule);
    const where = `line ${line}: record after the end record of line ${this.#endLine}`;
    this.#report(rule, where, { offset, found: `type ${hexByte(type)}` });
  }

  #accept(type: number, count: number, line: number, offset: number): boolean {
    const record = this.#record;
    if (type > 5) {
      this.#report('intel-hex.type', `line ${line}, column 8: type ${hexByte(type)}`, {
        offset: offset + 7,
        expected: '00 to 05',
        found: hexByte(type),
      });
      return false;
    }
    const required = requiredBytes[type];
    if (required !== undefined && required !== count) {
      this.#report('intel-hex.length', `line ${line}: type ${hexByte(type)} record`, {
        offset,
        expected: `${required} bytes`,
        found: `${count} bytes`,
      });
      return false;
    }
    const word = ((record[4] ?? 0) << 8) | (record[5] ?? 0);
    const second = ((record[6] ?? 0) << 8) | (record[7] ?? 0);
    if (type === 0) this.#addData(count, line, offset);
    else if (type === 1) this.#endLine = line;
    else if (type === 2) [this.#base, this.#segmented] = [word * 16, true];
    else if (type === 3) this.#startAddress = word * 16 + second;
    else if (type === 4) [this.#base, this.#segmented] = [word * 65_536, false];
    else this.#startAddress = word * 65_536 + second;
    return true;
  }

  #addData(count: number, line: number, offset: number): void {
    const record = this.#record;
    const low = ((record[1] ?? 0) << 8) | (record[2] ?? 0);
    const place = { line, offset };
    this.#onData?.(record.subarray(4, 4 + count));
    // In segment mode the offset wraps within 64 KiB; in linear mode the address runs on.
    const beforeWrap = this.#segmented ? Math.min(count, 65_536 - low) : count;
    if (!this.#segmented && this.#base + low + count > 2 ** 32) {
      this.#report('intel-hex.length', `line ${line}: runs over the highest address`, { offset });
      return;
    }
    this.#image.add(this.#base + low, record, 4, 4 + beforeWrap, place);
    this.#image.add(this.#base, record, 4 + beforeWrap, 4 + count, place);
  }
}
