import { z } from 'zod';

/** A field of an image that names the hardware it is for. */
const hardwareFieldSchema = z.object({
  /** `compatible` of a device tree, vendor or class UUID of MCUboot, product name of a package. */
  field: z.enum(['compatible', 'vendor', 'class', 'product']),
  value: z.string(),
});
export type HardwareField = z.infer<typeof hardwareFieldSchema>;

/** Another image that this one needs, by MCUboot's image number. */
const imageDependencySchema = z.object({
  imageNumber: z.number().int(),
  minVersion: z.string(),
});
export type ImageDependency = z.infer<typeof imageDependencySchema>;

/** What an image says about itself; kept with the release, so that the next one can be compared. */
export const imageIdentitySchema = z.object({
  /** Version of the image's own header or descriptor. */
  version: z.string().optional(),
  hardware: z.array(hardwareFieldSchema).optional(),
  /** Whether the image carries a signature; absent when the format is not known to hold one. */
  signed: z.boolean().optional(),
  /** Hash of the public key that the image names, lower-case hexadecimal. */
  keyHash: z.string().optional(),
  /** Name of the product's key that the signature was verified with. */
  keyName: z.string().optional(),
  /** Anti-rollback counter of MCUboot, or secure version of an ESP image. */
  securityCounter: z.number().int().optional(),
  dependencies: z.array(imageDependencySchema).optional(),
  /** Bytes that it takes in its slot: what is padding behind them is not counted. */
  slotBytes: z.number().int().optional(),
  /** When it was built, ISO 8601. */
  builtAt: z.string().optional(),
  /** Sizes that the header of a patch announces. */
  patch: z
    .object({ sourceBytes: z.number().int().optional(), targetBytes: z.number().int() })
    .optional(),
});
export type ImageIdentity = z.infer<typeof imageIdentitySchema>;
