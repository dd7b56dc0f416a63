import { z } from 'zod';
import { imageIdentitySchema } from './image-identity.ts';

/** `could-not-check` is for opaque or encrypted images: never a pass. */
export const verdictSchema = z.enum(['pass', 'warn', 'block', 'could-not-check']);
export type Verdict = z.infer<typeof verdictSchema>;

/** What a product's policy made of a rule; the finding's `verdict` is the outcome. */
export const policyEffectSchema = z.object({
  /** Verdict of the rule by itself. */
  own: verdictSchema,
  set: z.enum(['block', 'warn', 'allow']),
  /** Key of `policy.findings` that matched: a rule, `prefix.*` or `layer.*`. */
  pattern: z.string(),
});

/** One result of a check, with the evidence a reader needs to verify it by hand. */
export const findingSchema = z.object({
  rule: z.string(),
  verdict: verdictSchema,
  title: z.string(),
  detail: z.string(),
  fix: z.string(),
  waivable: z.boolean(),
  evidence: z.object({
    offset: z.number().int().nonnegative().optional(),
    member: z.string().optional(),
    expected: z.string().optional(),
    found: z.string().optional(),
  }),
  /** Present when the policy of the product decides over the verdict. */
  policy: policyEffectSchema.optional(),
  /** Who accepted the finding for exactly these bytes; the verdict stays what it is. */
  waived: z
    .object({ waiverId: z.string(), reason: z.string(), name: z.string(), at: z.string() })
    .optional(),
  /** A waiver of this rule and version that is void: it was given for other bytes. */
  voidWaiver: z
    .object({ waiverId: z.string(), sha256: z.string(), name: z.string(), at: z.string() })
    .optional(),
});
export type Finding = z.infer<typeof findingSchema>;

/** A run of bytes at an address of the target's memory. */
export const imageSegmentSchema = z.object({
  start: z.number().int().nonnegative(),
  sizeBytes: z.number().int().positive(),
});
export type ImageSegment = z.infer<typeof imageSegmentSchema>;

/** More segments than this are not listed; an image that is so scattered is told by its findings. */
export const maxListedSegments = 256;

/** How random content is, measured on a sample of large files. */
export const contentEntropySchema = z.object({
  /** `random` also stands for well-encrypted content, `compressed` for content that is nearly so. */
  kind: z.enum(['plain', 'compressed', 'random']),
  bitsPerByte: z.number(),
  /** Against equal shares of all 256 byte values; 255 on average for random content. */
  chiSquare: z.number(),
});
export type ContentEntropy = z.infer<typeof contentEntropySchema>;
/** Bytes of the beginning of a file that are kept, to compare them with those of later versions. */
export const keptHeadBytes = 32;

export const inspectedFileSchema = z.object({
  name: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string(),
  format: z.string(),
  /** The first bytes, at most {@link keptHeadBytes}, in hex; absent in records of times when they were not kept. */
  head: z.string().optional(),
  /** Where the bytes of an image with addresses lie, at most {@link maxListedSegments}; absent without addresses. */
  segments: z.array(imageSegmentSchema).optional(),
  /** Absent when there was too little content to measure, or only members of an archive. */
  entropy: contentEntropySchema.optional(),
  /** What the image says about itself; absent when its format says nothing. */
  identity: imageIdentitySchema.optional(),
  findings: z.array(findingSchema),
});
export type InspectedFile = z.infer<typeof inspectedFileSchema>;

/** What is known of a file while the files are still being checked; the report replaces it. */
export interface FileSoFar extends Omit<InspectedFile, 'sha256' | 'segments'> {
  /** Place of the file in the request. */
  readonly index: number;
  /** What the header says of itself, unproven; null when the format tells nothing there. */
  readonly headText: string | null;
  /** Null until all of the file is read; checks of the files together come after that. */
  readonly sha256: string | null;
}

export const inspectReportSchema = z.object({
  verdict: verdictSchema,
  files: z.array(inspectedFileSchema),
});
export type InspectReport = z.infer<typeof inspectReportSchema>;
