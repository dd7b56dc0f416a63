import { z } from 'zod';
import { imageSegmentSchema } from './finding.ts';

/** What became of bytes: `mixed` stands for runs that were joined because there are too many. */
export const changeKindSchema = z.enum(['changed', 'added', 'removed', 'mixed']);
export type ChangeKind = z.infer<typeof changeKindSchema>;

/** A run of addresses at which the images differ. */
export const changedRunSchema = imageSegmentSchema.extend({
  kind: changeKindSchema,
  /** As many as the run has, fewer when runs were joined. */
  changedBytes: z.number(),
  /** Symbol or section of the newer image (of the older one for removed bytes) and the offset in it; null without an ELF. */
  place: z.string().nullable(),
});
export type ChangedRun = z.infer<typeof changedRunSchema>;

const touchedSectorSchema = imageSegmentSchema.extend({
  changedBytes: z.number(),
  /** Memory region of the component that holds it. */
  region: z.string().nullable(),
});
export type TouchedSector = z.infer<typeof touchedSectorSchema>;

/** What became of a section or symbol; `changed` has other bytes, `moved` only another address. */
export const partStateSchema = z.enum(['added', 'removed', 'resized', 'changed', 'moved']);
export type PartState = z.infer<typeof partStateSchema>;

const partChangeSchema = z.object({
  name: z.string(),
  kind: z.enum(['section', 'function', 'object', 'label']),
  state: partStateSchema,
  oldAddress: z.number().nullable(),
  newAddress: z.number().nullable(),
  oldSizeBytes: z.number().nullable(),
  newSizeBytes: z.number().nullable(),
  sizeChangeBytes: z.number(),
  changedBytes: z.number(),
});
export type PartChange = z.infer<typeof partChangeSchema>;

const partsReportSchema = z.object({
  counts: z.record(z.enum([...partStateSchema.options, 'same']), z.number()),
  /** Those whose size changed most come first. */
  listed: z.array(partChangeSchema),
  notListed: z.number(),
});
export type PartsReport = z.infer<typeof partsReportSchema>;

const comparedImageSchema = z.object({
  name: z.string(),
  format: z.string(),
  /** Bytes that it puts into memory. */
  contentBytes: z.number(),
  /** Where its addresses come from: the file, the caller, the component's memory map; `offset` counts from 0. */
  placed: z.enum(['file', 'given', 'memory-map', 'offset']),
});

/** How two images differ over their address space; sizes in bytes. */
export const imageDiffSchema = z.object({
  old: comparedImageSchema,
  new: comparedImageSchema,
  /** Parts of the address space that either image fills, ascending, in whole rows of 16 bytes. */
  areas: z.array(imageSegmentSchema),
  totals: z.object({
    sameBytes: z.number(),
    changedBytes: z.number(),
    addedBytes: z.number(),
    removedBytes: z.number(),
  }),
  runs: z.object({
    total: z.number(),
    listed: z.array(changedRunSchema),
    /** Runs no further apart than this are listed as one; 0 when every run is listed. */
    joinedBytes: z.number(),
  }),
  sectors: z.object({
    sizeBytes: z.number(),
    /** Where the size comes from; `assumed` is 4096 bytes. */
    from: z.enum(['given', 'component', 'assumed']),
    total: z.number(),
    touched: z.number(),
    listed: z.array(touchedSectorSchema),
    regions: z.array(
      z.object({
        name: z.string(),
        total: z.number(),
        touched: z.number(),
        changedBytes: z.number(),
      }),
    ),
  }),
  /** Differing bytes of equal shares of the areas laid end to end. */
  density: z.object({ bucketBytes: z.number(), changedBytes: z.array(z.number()) }),
  /** Null unless there is an ELF file of each version. */
  sections: partsReportSchema.nullable(),
  symbols: partsReportSchema.nullable(),
});
export type ImageDiff = z.infer<typeof imageDiffSchema>;
