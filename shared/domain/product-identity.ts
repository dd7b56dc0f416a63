import { z } from 'zod';
import { upgradePathSchema } from './upgrade-path-schema.ts';
import { isRange } from './version-range.ts';

// Every field is optional and none has a default: records keep the product as it was described.

/** A public key that may sign for a component. */
const signingKeySchema = z.object({
  name: z.string().min(1),
  /** PEM text, or a file relative to the workspace folder. */
  publicKey: z.string().min(1),
  /** Last day on which it may sign a release. */
  expires: z.iso.date().optional(),
});
export type SigningKey = z.infer<typeof signingKeySchema>;

/** What a component's images must be, beside the chip and the memory map. */
export const componentIdentitySchema = z.object({
  /** Texts of which an image's own hardware fields must name one: `compatible`, product name, UUID. */
  hardwareIds: z.array(z.string().min(1)).optional(),
  /** Texts that every build of the component contains, such as its product name. */
  productTexts: z.array(z.string().min(3)).optional(),
  /** Number that MCUboot dependencies call this component's image by. */
  imageNumber: z.number().int().min(0).max(255).optional(),
  signing: z
    .object({
      /** Whether an unsigned image is refused. */
      required: z.boolean().optional(),
      keys: z.array(signingKeySchema).optional(),
    })
    .optional(),
  ...upgradePathSchema.shape,
});
export type ComponentIdentity = z.infer<typeof componentIdentitySchema>;

const rangeSchema = z.string().refine(isRange, 'a range such as ">=1.2.0 <2.0.0" or "*"');

/** What a product promises beyond its components. */
export const productIdentitySchema = z.object({
  /** Last day of the support period; certificates inside images must outlive it. */
  supportEnds: z.iso.date().optional(),
  /** Component id to version range: versions work together when one row holds them all. */
  compatibility: z.array(z.record(z.string(), rangeSchema)).optional(),
});
