import { z } from 'zod';

/** Patch formats that Slipway makes and applies. */
export const patchFormatSchema = z.enum([
  'bsdiff',
  'bsdiff43',
  'vcdiff',
  'detools',
  'detools-inplace',
  'hpatchlite',
  'hdiffpatch',
]);
export type PatchFormat = z.infer<typeof patchFormatSchema>;

/** How the body of a detools patch is compressed. */
export const detoolsCompressionSchema = z.enum(['none', 'crle', 'heatshrink', 'lzma']);
export type DetoolsCompression = z.infer<typeof detoolsCompressionSchema>;

/** How the body of an HPatchLite patch is compressed. */
export const hpatchLiteCompressionSchema = z.enum(['none', 'tinyuz']);
export type HpatchLiteCompression = z.infer<typeof hpatchLiteCompressionSchema>;

/** How the streams of an HDIFF13 patch are compressed. */
export const hdiffCompressionSchema = z.enum(['none', 'lzma']);
export type HdiffCompression = z.infer<typeof hdiffCompressionSchema>;

/** How the body of a patch is compressed whose format leaves the choice. */
export const compressionSchema = z.enum([...detoolsCompressionSchema.options, 'tinyuz']);
export type Compression = z.infer<typeof compressionSchema>;

/** What the device of a component can apply; what is left out is not limited. Sizes in bytes. */
export const deltaLimitsSchema = z.object({
  /** Formats that the device has a decoder for. */
  formats: z.array(patchFormatSchema).min(1).optional(),
  /** Compressions that its decoder of detools, HPatchLite or HDiffPatch was built with. */
  compressions: z.array(compressionSchema).min(1).optional(),
  /** RAM that the decoder may use. */
  ramBytes: z.number().int().positive().optional(),
  /** Flash that holds source and target side by side, and the patch where it is stored first. */
  flashBytes: z.number().int().positive().optional(),
  /** Flash of an update in place, in whole segments. */
  memoryBytes: z.number().int().positive().optional(),
  /** The flash's unit of erasing. */
  segmentBytes: z.number().int().min(128).optional(),
  /** What the link carries, headers taken off. */
  linkBytesPerSecond: z.number().positive().optional(),
});
export type DeltaLimits = z.infer<typeof deltaLimitsSchema>;

/** A format and, for detools, HPatchLite and HDiffPatch, its compression. */
export interface PatchChoice {
  readonly format: PatchFormat;
  readonly compression: Compression | null;
}

/** What the patch itself says that its decoder needs, sizes in bytes; null when it does not apply. */
const decoderNeedsSchema = z.object({
  heatshrinkWindowBits: z.number().nullable(),
  heatshrinkLookaheadBits: z.number().nullable(),
  lzmaDictionaryBytes: z.number().nullable(),
  lzmaProbabilities: z.number().nullable(),
  /** LZMA decoders that run at a time, one without it; dictionaries and probabilities are those of all together. */
  lzmaStreams: z.number().optional(),
  tinyuzDictionaryBytes: z.number().nullable(),
  /** Largest window of VCDIFF with its instructions. */
  windowBytes: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  segmentBytes: z.number().nullable(),
  shiftBytes: z.number().nullable(),
});
export type DecoderNeeds = z.infer<typeof decoderNeedsSchema>;

/** How the head of a patch names the formats: BSDIFF40 by its number, as its magic does. */
export const headFormatSchema = z.enum([
  'bsdiff40',
  'bsdiff43',
  'vcdiff',
  'detools',
  'detools-inplace',
  'hpatchlite',
  'hdiffpatch',
]);

/** The patch format that the head of a patch names. */
export function patchFormatOf(headFormat: PatchHead['format']): PatchFormat {
  return headFormat === 'bsdiff40' ? 'bsdiff' : headFormat;
}

/** What the head of a patch tells. */
const patchHeadSchema = z.object({
  format: headFormatSchema,
  compression: compressionSchema.nullable(),
  patchSizeBytes: z.number(),
  targetSizeBytes: z.number(),
  /** Known only to in-place and HDIFF13 patches. */
  sourceSizeBytes: z.number().nullable(),
  decoder: decoderNeedsSchema,
});
export type PatchHead = z.infer<typeof patchHeadSchema>;

/** Everything that can be told of a patch without its source. */
export const patchReportSchema = patchHeadSchema.extend({
  operations: z.object({
    copies: z.number(),
    copiedBytes: z.number(),
    /** Copied bytes that are changed by a difference. */
    changedBytes: z.number(),
    inserts: z.number(),
    insertedBytes: z.number(),
    runs: z.number(),
    runBytes: z.number(),
    /** Segments that an in-place patch moves first. */
    moves: z.number(),
  }),
  /** Where the bytes of the patch go; the sizes add up to it. */
  parts: z.array(
    z.object({
      name: z.string(),
      sizeBytes: z.number(),
      /** Before compression; null for what is not compressed. */
      plainSizeBytes: z.number().nullable(),
      /** What it holds before compression, where that is more than its name says; adds up to the plain size. */
      contents: z.array(z.object({ name: z.string(), sizeBytes: z.number() })),
    }),
  ),
});
export type PatchReport = z.infer<typeof patchReportSchema>;

/** What applying a patch costs a device, sizes in bytes. */
export const deviceCostSchema = z.object({
  /** RAM of the decoder; source and target too where the usual decoder holds them. */
  ramBytes: z.number(),
  /** Flash for source, target and, where it cannot be streamed, the patch. */
  flashBytes: z.number(),
  airBytes: z.number(),
  /** Null without a link speed. */
  airSeconds: z.number().nullable(),
  /** Erased segments; null without their size. */
  erases: z.number().nullable(),
});
export type DeviceCost = z.infer<typeof deviceCostSchema>;
