import {
  type ChecksumKind,
  checksumBytes,
  type DescribedChecksum,
  type DescribedField,
  type DescribedFormat,
  isSize,
  magicBytes,
  type ReadField,
} from '../domain/described-format.ts';
import type { ByteSource } from './byte-source.ts';
import { startChecksum } from './checksum.ts';
import { hexText, readRange } from './image-facts.ts';
import type { Report } from './report.ts';

/** Searches a text for a pattern in time linear in the text; gives what its one group captures. */
export type FindText = (
  pattern: string,
  text: string,
) => { readonly text: string; readonly index: number } | null;

/** What was read of a file of a described format. */
export interface DescribedContent {
  /** Whether the magic is there; true for a format without one. */
  readonly recognised: boolean;
  readonly fields: readonly ReadField[];
  readonly version?: string;
  readonly summary: string;
}

const shownBytes = 32;

/** Whether the file begins as the format says; true for a format without a magic. */
export async function hasMagic(
  source: ByteSource,
  { magic }: Pick<DescribedFormat, 'magic'>,
): Promise<boolean> {
  if (magic === undefined) return true;
  const expected = magicBytes(magic);
  const found = await source.read(magic.offset, expected.length);
  return found.length === expected.length && expected.every((byte, at) => found[at] === byte);
}

/** Whether the name ends with one of the format's extensions; case does not matter. */
function hasExtension(name: string, { extensions }: DescribedFormat): boolean {
  const lower = name.toLowerCase();
  return extensions.some(
    (extension) => lower.length > extension.length && lower.endsWith(extension.toLowerCase()),
  );
}

/**
 * The described format of a file: of those with its extension the one whose magic is there, or the
 * first when none is, else one without extensions whose magic is there; null when there is none.
 */
export async function recogniseDescribed(
  name: string,
  source: ByteSource,
  formats: readonly DescribedFormat[],
): Promise<DescribedFormat | null> {
  const named = formats.filter((format) => hasExtension(name, format));
  const unnamed = formats.filter(({ extensions }) => extensions.length === 0);
  for (const format of [...named, ...unnamed]) if (await hasMagic(source, format)) return format;
  return named[0] ?? null;
}

/**
 * Reads a file as its format is described: every field, the sizes, the checksums in one pass over
 * what they cover, the padding and the version. What does not fit is reported as `format.*`.
 */
export async function readDescribed(
  source: ByteSource,
  format: DescribedFormat,
  report: Report,
  findText: FindText,
): Promise<DescribedContent> {
  const reading = new Reading(source, format, report);
  const recognised = await reading.magic();
  if (!recognised || reading.isTooShort())
    return { recognised, fields: reading.fields, summary: '' };
  for (const field of format.fields) await reading.field(field);
  await reading.checksums();
  await reading.padding();
  const version = await reading.version(findText);
  const checked = reading.fields.filter(({ passed }) => passed === true).length;
  return {
    recognised,
    fields: reading.fields,
    ...(version === undefined ? {} : { version }),
    summary: `${format.name}: ${reading.fields.length} fields read, ${checked} checked`,
  };
}

/** Where a checksum stands and what it covers; `to` is exclusive. */
interface Coverage {
  readonly checksum: DescribedChecksum;
  readonly label: string;
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

class Reading {
  readonly fields: ReadField[] = [];
  readonly #source: ByteSource;
  readonly #format: DescribedFormat;
  readonly #report: Report;
  /** End of the content as each size field tells it. */
  readonly #ends = new Map<string, number>();
  #version: string | undefined;

  constructor(source: ByteSource, format: DescribedFormat, report: Report) {
    this.#source = source;
    this.#format = format;
    this.#report = report;
  }

  async magic(): Promise<boolean> {
    const { magic } = this.#format;
    if (magic === undefined) return true;
    const expected = magicBytes(magic);
    const found = await this.#source.read(magic.offset, expected.length);
    const passed = await hasMagic(this.#source, { magic });
    this.#tell('magic', magic.offset, found, printable(found), printable(expected), passed);
    if (!passed) {
      this.#report('format.magic', `this is no ${this.#format.name}`, {
        offset: magic.offset,
        expected: hexText(expected),
        found: hexText(found),
      });
    }
    return passed;
  }

  isTooShort(): boolean {
    const needed = smallestSize(this.#format);
    const { sizeBytes } = this.#source;
    if (sizeBytes >= needed) return false;
    this.#report('format.too-short', `a ${this.#format.name} has its fields up to there`, {
      offset: sizeBytes,
      expected: `at least ${needed} bytes`,
      found: `${sizeBytes} bytes`,
    });
    return true;
  }

  async field(field: DescribedField): Promise<void> {
    const { name, means } = field;
    const offset = this.#place(field.offset);
    const bytes = await this.#source.read(offset, field.bytes);
    const number = numberOf(bytes, field.endian);
    if (isSize(means)) return this.#size(field, offset, bytes, number);
    if (means === 'version') {
      const ordered = field.endian === 'little' ? bytes.toReversed() : bytes;
      this.#version = ordered.join('.');
      return this.#tell(name, offset, bytes, this.#version, null, null);
    }
    const value = numberText(number, field.bytes);
    if (means === 'number') return this.#tell(name, offset, bytes, value, null, null);
    const expected = numberText(BigInt(field.equals ?? 0), field.bytes);
    const passed = value === expected;
    this.#tell(name, offset, bytes, value, expected, passed);
    if (!passed) {
      const evidence = { offset, expected, found: value };
      this.#report('format.constant', `the field "${name}"`, evidence);
    }
  }

  #size(field: DescribedField, offset: number, bytes: Uint8Array, number: bigint): void {
    const base = field.means === 'file-size' ? 0 : (field.from ?? offset + field.bytes);
    const { sizeBytes } = this.#source;
    const end = number + BigInt(base);
    const isPadded = this.#format.padding !== undefined && end < sizeBytes && end >= base;
    const passed = isPadded || end === BigInt(sizeBytes);
    const expected = `${sizeBytes - base}`;
    this.#tell(field.name, offset, bytes, `${number}`, isPadded ? null : expected, passed);
    if (passed) this.#ends.set(field.name, Number(end));
    else {
      const from = base === 0 ? '' : ` from offset ${base}`;
      this.#report('format.size', `the field "${field.name}" counts the bytes${from}`, {
        offset,
        expected: `${expected} bytes`,
        found: `${number} bytes`,
      });
    }
  }

  /** Every checksum in one pass; the bytes of a checksum itself count as 00 where it covers them. */
  async checksums(): Promise<void> {
    const covered = this.#format.checksums.flatMap((checksum, index) => {
      const coverage = this.#coverage(checksum, index);
      return coverage === null ? [] : [{ ...coverage, running: startChecksum(checksum.kind) }];
    });
    const from = Math.min(...covered.map((one) => one.from));
    const to = Math.max(...covered.map((one) => one.to));
    let offset = from;
    for await (const window of readRange(this.#source, from, to)) {
      for (const one of covered) feed(one, window, offset);
      offset += window.length;
    }
    for (const { checksum, label, at, running, ...range } of covered) {
      const width = checksumBytes[checksum.kind];
      const bytes = await this.#source.read(at, width);
      const found = numberText(numberOf(bytes, checksum.endian), width);
      const expected = numberText(BigInt(running.value()), width);
      const passed = found === expected;
      this.#tell(label, at, bytes, found, expected, passed);
      if (passed) continue;
      const detail = `${checksum.kind} over the bytes ${range.from} to ${range.to}`;
      this.#report('format.checksum', detail, { offset: at, expected, found });
    }
  }

  #coverage(checksum: DescribedChecksum, index: number): Coverage | null {
    const label = checksum.name ?? `${checksum.kind} ${index + 1}`;
    const at = this.#place(checksum.offset);
    const from = this.#place(checksum.from);
    const to =
      typeof checksum.to === 'string'
        ? this.#ends.get(checksum.to)
        : this.#place(checksum.to ?? this.#source.sizeBytes);
    // The size that it depends on is wrong, and that is told already.
    if (to === undefined) return null;
    if (from >= 0 && from <= to && to <= this.#source.sizeBytes)
      return { checksum, label, at, from, to };
    this.#report('format.checksum', `"${label}" covers the bytes ${from} to ${to}`, {
      offset: at,
      expected: `a range inside ${this.#source.sizeBytes} bytes`,
      found: `${from} to ${to}`,
    });
    return null;
  }

  /** From the end of the content on, up to what is counted from the end of the file. */
  async padding(): Promise<void> {
    const { padding, fields, checksums } = this.#format;
    if (padding === undefined || this.#ends.size === 0) return;
    const end = Math.max(...this.#ends.values());
    const trailers = [...fields, ...checksums]
      .filter(({ offset }) => offset < 0)
      .map(({ offset }) => this.#place(offset))
      .filter((offset) => offset >= end);
    let offset = end;
    for await (const window of readRange(
      this.#source,
      end,
      Math.min(this.#source.sizeBytes, ...trailers),
    )) {
      const at = window.findIndex((byte) => byte !== padding);
      if (at >= 0) {
        return this.#report('format.padding', `the content ends at ${end}`, {
          offset: offset + at,
          expected: hexText(Uint8Array.of(padding)),
          found: hexText(window.subarray(at, at + 1)),
        });
      }
      offset += window.length;
    }
  }

  async version(findText: FindText): Promise<string | undefined> {
    const { version } = this.#format;
    if (version === undefined) return this.#version;
    const isFixed = 'offset' in version;
    const offset = this.#place(isFixed ? version.offset : version.from);
    const bytes = await this.#source.read(Math.max(0, offset), version.length);
    const text = latin1(bytes);
    const found = isFixed
      ? { text: text.replace(/[\0\xff].*$/s, '').trim(), index: 0 }
      : findText(version.pattern, text);
    const value = found?.text ?? '';
    const at = Math.max(0, offset) + (found?.index ?? 0);
    const passed = /^[\x20-\x7e]+$/.test(value);
    const shown = passed ? bytes.subarray(found?.index ?? 0).subarray(0, value.length) : bytes;
    this.#tell('version', at, shown, passed ? value : '', null, passed);
    if (passed) return value;
    this.#report('format.version-missing', isFixed ? 'at its place' : `no "${version.pattern}"`, {
      offset: at,
      found: printable(bytes.subarray(0, shownBytes)),
    });
    return undefined;
  }

  #place(offset: number): number {
    return offset < 0 ? this.#source.sizeBytes + offset : offset;
  }

  #tell(
    name: string,
    offset: number,
    bytes: Uint8Array,
    value: string,
    expected: string | null,
    passed: boolean | null,
  ): void {
    const hex = hexText(bytes.subarray(0, shownBytes));
    this.fields.push({ name, offset, sizeBytes: bytes.length, hex, value, expected, passed });
  }
}

/** The size without which a part of the description lies outside the file. */
function smallestSize(format: DescribedFormat): number {
  const { minSizeBytes, magic, fields, checksums, version } = format;
  const reach = (offset: number, bytes: number): number => (offset < 0 ? -offset : offset + bytes);
  return Math.max(
    minSizeBytes ?? 0,
    magic === undefined ? 0 : magic.offset + magicBytes(magic).length,
    version !== undefined && 'offset' in version ? reach(version.offset, version.length) : 0,
    ...fields.map(({ offset, bytes }) => reach(offset, bytes)),
    ...checksums.map(({ offset, kind }) => reach(offset, checksumBytes[kind])),
  );
}

const zeros = new Uint8Array(8);

function feed(
  { running, checksum, at, from, to }: Coverage & { running: ReturnType<typeof startChecksum> },
  window: Uint8Array,
  offset: number,
): void {
  const part = (start: number, end: number): Uint8Array =>
    window.subarray(Math.max(0, start - offset), Math.max(0, end - offset));
  const ownEnd = at + checksumBytes[checksum.kind as ChecksumKind];
  if (at >= to || ownEnd <= from) return running.update(part(from, to));
  running.update(part(from, at));
  running.update(zeros.subarray(0, part(Math.max(from, at), Math.min(to, ownEnd)).length));
  running.update(part(ownEnd, to));
}

function numberOf(bytes: Uint8Array, endian: 'little' | 'big'): bigint {
  const ordered = endian === 'little' ? bytes.toReversed() : bytes;
  return ordered.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

const numberText = (value: bigint, bytes: number): string =>
  `0x${value
    .toString(16)
    .toUpperCase()
    .padStart(2 * bytes, '0')}`;

/** One character a byte, so that an index in the text is one in the bytes. */
function latin1(bytes: Uint8Array): string {
  const pieceBytes = 8192;
  let text = '';
  for (let at = 0; at < bytes.length; at += pieceBytes)
    text += String.fromCharCode(...bytes.subarray(at, at + pieceBytes));
  return text;
}

const printable = (bytes: Uint8Array): string =>
  latin1(bytes).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
