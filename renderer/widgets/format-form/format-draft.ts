import type { Input } from '../../../shared/contract/contract.ts';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';

type FormatInput = Input<'formats.test'>['format'];

/** A described format as it is typed: every number is a text. */
export interface FormatDraft {
  readonly name: string;
  /** Separated by spaces or commas. */
  readonly extensions: string;
  readonly magicKind: 'none' | 'text' | 'hex';
  readonly magic: string;
  readonly magicOffset: string;
  readonly minSizeBytes: string;
  readonly fields: readonly FieldDraft[];
  readonly checksums: readonly ChecksumDraft[];
  readonly versionKind: 'none' | 'place' | 'pattern';
  readonly versionPattern: string;
  /** Offset of the text, or of the window that is searched. */
  readonly versionFrom: string;
  readonly versionLength: string;
  readonly padding: string;
}

export interface FieldDraft {
  readonly name: string;
  readonly offset: string;
  readonly bytes: '1' | '2' | '4' | '8';
  readonly endian: 'little' | 'big';
  readonly means: DescribedFormat['fields'][number]['means'];
  readonly from: string;
  readonly equals: string;
}

export interface ChecksumDraft {
  readonly name: string;
  readonly kind: DescribedFormat['checksums'][number]['kind'];
  readonly offset: string;
  readonly endian: 'little' | 'big';
  readonly from: string;
  /** An offset, or the name of a size field. */
  readonly to: string;
}

/** A row of the form before anything is typed. */
export const emptyField: FieldDraft = {
  name: '',
  offset: '0',
  bytes: '4',
  endian: 'little',
  means: 'number',
  from: '',
  equals: '',
};
export const emptyChecksum: ChecksumDraft = {
  name: '',
  kind: 'crc32',
  offset: '-4',
  endian: 'little',
  from: '0',
  to: '-4',
};
export const emptyFormat: FormatDraft = {
  name: '',
  extensions: '',
  magicKind: 'text',
  magic: '',
  magicOffset: '0',
  minSizeBytes: '',
  fields: [],
  checksums: [],
  versionKind: 'none',
  versionPattern: '',
  versionFrom: '0',
  versionLength: '',
  padding: '',
};

/** What is typed, as the engine takes it, and what is no number; the engine checks all else. */
export interface ReadDraft {
  readonly format: FormatInput;
  /** Path of the field, for example `fields.0.offset`, to what is wrong with it. */
  readonly faults: Readonly<Record<string, string>>;
}

/** Reads a number as people write offsets: decimal or `0x`, a sign, groups; null when it is none. */
export function readNumber(text: string): number | null {
  const plain = text.trim().replaceAll('_', '');
  if (!/^-?(\d+|0x[0-9a-f]+)$/i.test(plain)) return null;
  const value = Number(plain.replace('-', ''));
  if (!Number.isSafeInteger(value)) return null;
  return plain.startsWith('-') && value !== 0 ? -value : value;
}

/** Turns what is typed into the description of a format. */
export function readDraft(draft: FormatDraft): ReadDraft {
  const faults: Record<string, string> = {};
  const number = (path: string, text: string): number => {
    const value = readNumber(text);
    if (value === null) faults[path] = 'a number such as 16, 0x10 or -4';
    return value ?? 0;
  };
  const optional = (path: string, text: string): number | undefined =>
    text.trim() === '' ? undefined : number(path, text);
  const { magicKind, versionKind } = draft;
  const magic = { offset: number('magicOffset', draft.magicOffset) };
  const format: FormatInput = {
    name: draft.name.trim(),
    extensions: draft.extensions.split(/[\s,]+/).filter((extension) => extension !== ''),
    ...(magicKind === 'text' ? { magic: { ...magic, text: draft.magic } } : {}),
    ...(magicKind === 'hex' ? { magic: { ...magic, hex: draft.magic } } : {}),
    minSizeBytes: optional('minSizeBytes', draft.minSizeBytes),
    fields: draft.fields.map((field, index) =>
      readField(field, `fields.${index}`, number, optional),
    ),
    checksums: draft.checksums.map((checksum, index) => {
      const path = `checksums.${index}`;
      return {
        name: checksum.name.trim() === '' ? undefined : checksum.name.trim(),
        kind: checksum.kind,
        offset: number(`${path}.offset`, checksum.offset),
        endian: checksum.endian,
        from: number(`${path}.from`, checksum.from),
        to: endOf(checksum.to),
      };
    }),
    padding: optional('padding', draft.padding),
  };
  if (versionKind === 'none') return { format, faults };
  const from = number('versionFrom', draft.versionFrom);
  const length = optional('versionLength', draft.versionLength);
  if (versionKind === 'pattern')
    return {
      format: { ...format, version: { pattern: draft.versionPattern, from, length } },
      faults,
    };
  if (length === undefined) faults.versionLength = 'how many bytes the text has';
  return { format: { ...format, version: { offset: from, length: length ?? 1 } }, faults };
}

function readField(
  field: FieldDraft,
  path: string,
  number: (path: string, text: string) => number,
  optional: (path: string, text: string) => number | undefined,
): NonNullable<FormatInput['fields']>[number] {
  const { name, offset, bytes, endian, means, from, equals } = field;
  return {
    name: name.trim(),
    offset: number(`${path}.offset`, offset),
    bytes: Number(bytes) as 1 | 2 | 4 | 8,
    endian,
    means,
    ...(means === 'size-of-rest' ? { from: optional(`${path}.from`, from) } : {}),
    ...(means === 'constant' ? { equals: number(`${path}.equals`, equals) } : {}),
  };
}

const endOf = (text: string): number | string | undefined =>
  text.trim() === '' ? undefined : (readNumber(text) ?? text.trim());

/** A saved format as it is edited. */
export function draftOf(format: DescribedFormat): FormatDraft {
  const { magic, version } = format;
  const text = (value: number | undefined): string => (value === undefined ? '' : String(value));
  const versionKind = version === undefined ? 'none' : 'pattern' in version ? 'pattern' : 'place';
  return {
    name: format.name,
    extensions: format.extensions.join(' '),
    magicKind: magic === undefined ? 'none' : magic.text === undefined ? 'hex' : 'text',
    magic: magic?.text ?? magic?.hex ?? '',
    magicOffset: text(magic?.offset ?? 0),
    minSizeBytes: text(format.minSizeBytes),
    fields: format.fields.map((field) => ({
      name: field.name,
      offset: String(field.offset),
      bytes: String(field.bytes) as FieldDraft['bytes'],
      endian: field.endian,
      means: field.means,
      from: text(field.from),
      equals: text(field.equals),
    })),
    checksums: format.checksums.map((checksum) => ({
      name: checksum.name ?? '',
      kind: checksum.kind,
      offset: String(checksum.offset),
      endian: checksum.endian,
      from: String(checksum.from),
      to: checksum.to === undefined ? '' : String(checksum.to),
    })),
    versionKind,
    versionPattern: version && 'pattern' in version ? version.pattern : '',
    versionFrom: version ? String('pattern' in version ? version.from : version.offset) : '0',
    versionLength: text(version?.length),
    padding: text(format.padding),
  };
}

/** What the engine found wrong with a description, one line each, without the names of its own call. */
export function faultLines(detail: string): readonly string[] {
  return detail
    .replace(/^formats\.\w+: /, '')
    .split(/\n?✖ /)
    .map((fault) => fault.trim())
    .filter((fault) => fault !== '')
    .map((fault) => {
      const [message = '', place] = fault.split(/\s*→ at format\.?/);
      return place === undefined || place === '' ? message : `${place}: ${message}`;
    });
}
