import { z } from 'zod';
import {
  compressionSchema,
  deltaLimitsSchema,
  patchFormatSchema,
  patchReportSchema,
} from '../domain/delta.ts';
import { deltaMatrixSchema } from '../domain/delta-matrix.ts';
import { mostPageBytes } from '../domain/diff-limits.ts';
import { imageDiffSchema } from '../domain/image-diff.ts';
import { patchMapSchema } from '../domain/patch-map.ts';
import { deltaProofSchema, versionPackageSchema, versionSchema } from '../domain/product.ts';
import { call, fileRefSchema, id, job } from './door.ts';

/** An image to compare: a file, or the only file of a full version package. */
const diffSideSchema = z.union([
  z.object({ file: fileRefSchema, elf: fileRefSchema.optional() }),
  z.object({ packageId: id, elf: fileRefSchema.optional() }),
]);

const addressSchema = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** Bytes of one image at a stretch of addresses; 0 in the holes, whose starts count from the first byte. */
const paneBytesSchema = z.object({
  bytes: z.instanceof(Uint8Array),
  holes: z.array(z.object({ start: z.number(), sizeBytes: z.number() })),
});

/** The doors of the delta room. */
export const deltaCalls = {
  /** Makes a delta version package of the target's release from two full packages of one component. */
  'delta.create': job(
    z.object({
      sourcePackageId: id,
      targetPackageId: id,
      /** Left out, the smallest that a described device can apply, else BSDIFF40. */
      format: z.enum(['auto', ...patchFormatSchema.options]).optional(),
      compression: compressionSchema.optional(),
    }),
    versionPackageSchema,
  ),
  /** Records a vendor's own delta: proven where its format is public and both images are released, else named as not checked. */
  'delta.accept': job(
    z.object({
      releaseId: id,
      componentId: id,
      sourceVersion: versionSchema,
      files: z.array(fileRefSchema).min(1),
    }),
    versionPackageSchema,
  ),
  'delta.make': job(
    z.object({
      source: fileRefSchema,
      target: fileRefSchema,
      out: fileRefSchema,
      /** Left out, the smallest that a described device can apply, else BSDIFF40. */
      format: z.enum(['auto', ...patchFormatSchema.options]).optional(),
      compression: compressionSchema.optional(),
      /** What the device can apply; over what the component's description says, if one is named. */
      limits: deltaLimitsSchema.default({}),
      productId: id.optional(),
      componentId: id.optional(),
    }),
    deltaProofSchema,
  ),
  /** Explains a patch without its source: sizes, operations, where its bytes go. */
  'delta.inspect': job(z.object({ patch: fileRefSchema }), patchReportSchema),
  /** Every released source version still in the field, by every format that the component allows; goes on where it was cancelled. */
  'delta.matrix': job(z.object({ releaseId: id, componentId: id }), deltaMatrixSchema),
  'delta.apply': job(
    z.object({
      source: fileRefSchema,
      patch: fileRefSchema,
      out: fileRefSchema,
      /** What must come out, or nothing is written: most formats cannot tell a wrong source. */
      expectedSha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    }),
    z.object({ sha256: z.string(), sizeBytes: z.number() }),
  ),
  /** Compares two images over their address space. The bytes can be read with the identifier until four more are compared. */
  'delta.diff': job(
    z.object({
      old: diffSideSchema,
      new: diffSideSchema,
      productId: id.optional(),
      /** Whose memory map and unit of erasing count; the product's first one without it. */
      componentId: id.optional(),
      /** Where images without addresses begin; absent: where the memory map has room for the image, else 0. */
      address: addressSchema.optional(),
      sectorBytes: z
        .number()
        .int()
        .min(128)
        .max(1 << 30)
        .optional(),
    }),
    z.object({ diffId: id, report: imageDiffSchema }),
  ),
  /** Bytes of both images of a comparison. */
  'delta.diff.bytes': call(
    z.object({
      diffId: id,
      address: addressSchema,
      sizeBytes: z.number().int().min(1).max(mostPageBytes),
    }),
    z.object({ old: paneBytesSchema, new: paneBytesSchema }),
  ),
  'delta.diff.close': call(z.object({ diffId: id }), z.object({})),
  /** Which bytes of the target a patch copies, corrects and inserts, and from where. */
  'delta.operations': job(
    z.union([z.object({ patch: fileRefSchema }), z.object({ packageId: id })]),
    patchMapSchema,
  ),
} as const;
