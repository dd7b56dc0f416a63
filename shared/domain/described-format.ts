import { z } from 'zod';
import { findingSchema } from './finding.ts';
import { fileTypePattern } from './limits.ts';

/** Kinds of checksums that a described format may carry, with their size in bytes. */
export const checksumBytes = {
  crc32: 4,
  'crc16-ccitt': 2,
  'crc16-xmodem': 2,
  'crc16-modbus': 2,
  sum8: 1,
  sum16: 2,
  sum32: 4,
  xor8: 1,
} as const;
export type ChecksumKind = keyof typeof checksumBytes;
const checksumKinds = Object.keys(checksumBytes) as ChecksumKind[];

/** Farthest offset that may be named: that of the largest file. */
const maxOffset = 100 * 1024 * 1024;
/** Longest text in which a version is searched: the search is linear in it. */
const maxSearchBytes = 64 * 1024;
const maxPatternLength = 200;

/** Names that built-in readers and recognisers give. */
const takenNames = new Set(
  (
    'elf mcuboot uf2 uimage fit zip rar gzip xz zstd bsdiff40 bsdiff43 vcdiff hdiff detools ' +
    'hpatchlite ' +
    'android-payload pac tar esp-image s-record intel-hex python text cortex-m mpy cmsis-pack ' +
    'unknown empty raw'
  ).split(' '),
);

/** Bytes from the beginning of the file, or, when negative, back from its end. */
const anchorSchema = z.number().int().min(-maxOffset).max(maxOffset);
const nameSchema = z.string().min(1, 'give it a name').max(40);
const endianSchema = z.enum(['little', 'big']).default('little');

const describedMagicSchema = z
  .strictObject({
    offset: z.number().int().min(0).max(maxOffset).default(0),
    hex: z
      .string()
      .regex(/^\s*([0-9A-Fa-f]{2}\s*){1,64}$/, 'pairs of hexadecimal digits, for example "41 46"')
      .optional(),
    text: z
      .string()
      .regex(/^[\x20-\x7e]{1,64}$/, 'printable ASCII, at most 64 characters')
      .optional(),
  })
  .refine(({ hex, text }) => (hex === undefined) !== (text === undefined), {
    message: 'give either "hex" or "text"',
  });
export type DescribedMagic = z.infer<typeof describedMagicSchema>;

const describedFieldSchema = z
  .strictObject({
    name: nameSchema,
    offset: anchorSchema,
    bytes: z.literal([1, 2, 4, 8]),
    endian: endianSchema,
    /**
     * `file-size`: of the whole file; `size-of-rest`: from `from` (the end of the field without
     * it) to the end of the content; `version`: one number a byte, most significant first;
     * `constant`: always `equals`; `number`: shown, not checked.
     */
    means: z.enum(['file-size', 'size-of-rest', 'version', 'constant', 'number']),
    from: z.number().int().min(0).max(maxOffset).optional(),
    equals: z.number().int().nonnegative().optional(),
  })
  .refine(({ offset, bytes }) => offset >= 0 || offset + bytes <= 0, {
    message: 'the field goes beyond the end of the file',
    path: ['offset'],
  })
  .refine(({ means, equals }) => (means === 'constant') === (equals !== undefined), {
    message: 'a constant has "equals", nothing else has it',
    path: ['equals'],
  })
  .refine(({ means, from }) => from === undefined || means === 'size-of-rest', {
    message: 'only "size-of-rest" is counted from an offset',
    path: ['from'],
  })
  .refine(({ bytes, equals = 0 }) => bytes === 8 || equals < 2 ** (8 * bytes), {
    message: 'the constant is larger than the field',
    path: ['equals'],
  });
export type DescribedField = z.infer<typeof describedFieldSchema>;

const describedChecksumSchema = z
  .strictObject({
    name: nameSchema.optional(),
    kind: z.enum(checksumKinds),
    offset: anchorSchema,
    endian: endianSchema,
    /** First byte that is covered. */
    from: anchorSchema.default(0),
    /**
     * End of what is covered, exclusive; the end of the file without it. The name of a size field
     * stands for the end of the content that the field tells.
     */
    to: z.union([anchorSchema, nameSchema]).optional(),
  })
  .refine(({ offset, kind }) => offset >= 0 || offset + checksumBytes[kind] <= 0, {
    message: 'the checksum goes beyond the end of the file',
    path: ['offset'],
  });
export type DescribedChecksum = z.infer<typeof describedChecksumSchema>;

const fixedTextSchema = z.strictObject({
  offset: anchorSchema,
  length: z.number().int().min(1).max(256),
});
const searchedTextSchema = z.strictObject({
  pattern: z.string().min(1).max(maxPatternLength),
  from: anchorSchema.default(0),
  length: z.number().int().min(1).max(maxSearchBytes).default(4096),
});
/** Where the version stands: text at a fixed place, or what the one group of a pattern captures. */
const describedVersionSchema = z.union([fixedTextSchema, searchedTextSchema], {
  error: 'give "offset" and "length" of the text, or a "pattern" (with "from" and "length")',
});

/** Fewest bytes of a magic that recognises a format without its extension. */
const minLoneMagicBytes = 4;

/** A vendor's format as `formats` of slipway.yaml describes it. */
export const describedFormatSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,31}$/, 'small letters, digits and "-", at most 32 characters')
      .refine((name) => !takenNames.has(name), 'this is the name of a built-in format'),
    extensions: z.array(z.string().regex(fileTypePattern, 'for example ".fwx"')).default([]),
    magic: describedMagicSchema.optional(),
    minSizeBytes: z.number().int().min(1).max(maxOffset).optional(),
    fields: z.array(describedFieldSchema).max(64).default([]),
    checksums: z.array(describedChecksumSchema).max(16).default([]),
    version: describedVersionSchema.optional(),
    /** Byte that fills the file after its content. */
    padding: z.number().int().min(0).max(255).optional(),
  })
  .superRefine((format, context) => {
    const fault = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const { extensions, magic, fields, checksums } = format;
    if (extensions.length === 0 && magic === undefined)
      fault(['name'], 'give "extensions" or a "magic", so that a file can be recognised');
    if (extensions.length === 0 && magic && magicBytes(magic).length < minLoneMagicBytes)
      fault(['magic'], `without extensions, a magic has at least ${minLoneMagicBytes} bytes`);
    const names = fields.map(({ name }) => name);
    for (const [index, name] of names.entries())
      if (names.indexOf(name) < index) fault(['fields', index, 'name'], `"${name}" is there twice`);
    const sizes = fields.filter(({ means }) => isSize(means)).map(({ name }) => name);
    for (const [index, { to }] of checksums.entries())
      if (typeof to === 'string' && !sizes.includes(to))
        fault(['checksums', index, 'to'], `"${to}" is no field that means a size`);
    if (format.padding !== undefined && sizes.length === 0)
      fault(['padding'], 'without a field that means a size, nobody knows where padding begins');
    const versions = fields.filter(({ means }) => means === 'version').length;
    if (versions + (format.version ? 1 : 0) > 1)
      fault(['version'], 'the version is described more than once');
  });
export type DescribedFormat = z.infer<typeof describedFormatSchema>;

/** Whether a field tells where the content ends. */
export const isSize = (means: DescribedField['means']): boolean =>
  means === 'file-size' || means === 'size-of-rest';

/** The bytes of a magic. */
export function magicBytes({ hex, text }: DescribedMagic): Uint8Array {
  if (text !== undefined) return Uint8Array.from(text, (character) => character.charCodeAt(0));
  const pairs = (hex ?? '').replace(/\s+/g, '').match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

/** What was read at one place of a file of a described format. */
const readFieldSchema = z.object({
  name: z.string(),
  /** From the beginning of the file. */
  offset: z.number().int(),
  sizeBytes: z.number().int(),
  /** The first bytes that stand there. */
  hex: z.string(),
  /** What they say. */
  value: z.string(),
  /** What they should say; null when nothing is expected. */
  expected: z.string().nullable(),
  /** Null when there was nothing to compare. */
  passed: z.boolean().nullable(),
});
export type ReadField = z.infer<typeof readFieldSchema>;

/** What a description made of a file. */
export const formatTestSchema = z.object({
  /** Whether the magic is there; true for a format without one. */
  recognised: z.boolean(),
  sizeBytes: z.number().int(),
  version: z.string().nullable(),
  fields: z.array(readFieldSchema),
  findings: z.array(findingSchema),
});
export type FormatTest = z.infer<typeof formatTestSchema>;
