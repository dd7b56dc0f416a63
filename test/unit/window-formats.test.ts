import { expect, test } from 'vitest';
import {
  draftOf,
  emptyChecksum,
  emptyField,
  emptyFormat,
  faultLines,
  readDraft,
  readNumber,
} from '../../renderer/widgets/format-form/format-draft.ts';
import { createStudio } from '../../electron/core/studio.ts';
import { describedFormatSchema } from '../../shared/domain/described-format.ts';

const acme = describedFormatSchema.parse({
  name: 'acme-fw',
  extensions: ['.afw', '.afx'],
  magic: { text: 'AFW1' },
  minSizeBytes: 64,
  fields: [
    { name: 'total', offset: 4, bytes: 4, means: 'file-size' },
    { name: 'body', offset: 8, bytes: 4, endian: 'big', means: 'size-of-rest', from: 32 },
    { name: 'kind', offset: 12, bytes: 1, means: 'constant', equals: 7 },
    { name: 'tail', offset: -8, bytes: 2, means: 'number' },
  ],
  checksums: [
    { name: 'header', kind: 'crc16-modbus', offset: 30, to: 32 },
    { kind: 'crc32', offset: -4, from: 32, to: 'body' },
  ],
  version: { offset: 16, length: 12 },
  padding: 0xff,
});

test('numbers are read as people write offsets, and nothing else is a number', () => {
  expect(['16', ' 0x10 ', '-4', '0x0800_0000', '-0', '0xFF'].map(readNumber)).toEqual([
    16, 16, -4, 0x0800_0000, 0, 255,
  ]);
  for (const text of ['', ' ', '1.5', '1e3', '0b1', '--1', '12 34', 'ten', '9007199254740993'])
    expect(readNumber(text), text).toBeNull();
});

test('a saved format comes back from the form as it was', () => {
  const variants = [
    acme,
    describedFormatSchema.parse({ name: 'bare', magic: { hex: '00 11 22 33', offset: 8 } }),
    describedFormatSchema.parse({
      name: 'searched',
      extensions: ['.x'],
      version: { pattern: 'v(\\d+)', from: -64 },
    }),
  ];
  for (const format of variants) {
    const { format: back, faults } = readDraft(draftOf(format));
    expect(faults).toEqual({});
    expect(describedFormatSchema.parse(back)).toEqual(format);
  }
});

test('what is no number is told at its place', () => {
  const { faults } = readDraft({
    ...emptyFormat,
    magicOffset: 'x',
    fields: [
      { ...emptyField, offset: '' },
      { ...emptyField, means: 'constant' },
    ],
    checksums: [{ ...emptyChecksum, from: '?' }],
    versionKind: 'place',
    padding: 'ff',
  });
  expect(Object.keys(faults).sort()).toEqual([
    'checksums.0.from',
    'fields.0.offset',
    'fields.1.equals',
    'magicOffset',
    'padding',
    'versionLength',
  ]);
});

test('what belongs to another meaning is left out', () => {
  const field = { ...emptyField, name: 'a', from: '32', equals: '7' };
  const { format } = readDraft({ ...emptyFormat, name: 'a', fields: [field] });
  expect(format.fields).toEqual([
    { name: 'a', offset: 0, bytes: 4, endian: 'little', means: 'number' },
  ]);
  expect(readDraft({ ...emptyFormat, magicKind: 'none', magic: 'AFW1' }).format.magic).toBe(
    undefined,
  );
});

test('the engine’s own words about a description are told line by line', async () => {
  const studio = await createStudio({ workspacePath: null });
  try {
    const { format } = readDraft({ ...emptyFormat, name: 'Bad Name', fields: [emptyField] });
    const answer = await studio.call('formats.test', { format, file: '/dev/null' });
    if (answer.ok) throw new Error('the description was taken');
    const lines = faultLines(answer.error.detail);
    expect(lines).toContain('name: small letters, digits and "-", at most 32 characters');
    expect(lines).toContain('fields[0].name: give it a name');
    expect(lines.every((line) => !line.includes('✖') && !line.includes('→'))).toBe(true);
  } finally {
    await studio.close();
  }
});
