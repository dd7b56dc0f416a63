import { mostListed } from '../domain/diff-limits.ts';
import type { PatchMap, PatchOperation } from '../domain/patch-map.ts';
import { readBsdiffHeader, readBsdiffSteps } from './bsdiff-reader.ts';
import { type DetoolsHeader, readDetoolsHeader } from './detools-format.ts';
import { readDetoolsSteps } from './detools-reader.ts';
import { readHdiffHeader } from './hdiff-format.ts';
import { readHdiffSteps } from './hdiff-reader.ts';
import { readHpatchLiteHeader } from './hpatchlite-format.ts';
import { HpatchLiteBody } from './hpatchlite-reader.ts';
import { inPlaceSteps } from './in-place-device.ts';
import { readPatchHead } from './patch-head.ts';
import { unknownPatch } from './patch-problems.ts';
import type { PatchStep } from './patch-steps.ts';
import { isVcdiff, readInstructions, readVcdiffWindows } from './vcdiff-reader.ts';

const mostShares = 512;

/**
 * Tells which bytes of the target a patch copies, corrects and inserts. The patch is decoded to its end.
 * @throws ProblemError `patch-format` | `patch-corrupt` | `patch-unsupported`
 */
export function mapPatch(patch: Uint8Array, limit = mostListed): PatchMap {
  const bsdiff = readBsdiffHeader(patch);
  const hdiff = readHdiffHeader(patch);
  const lite = readHpatchLiteHeader(patch);
  const { targetSizeBytes } = bsdiff ?? readPatchHead(patch);
  const builder = new MapBuilder(targetSizeBytes, limit);
  if (bsdiff) builder.addSteps(readBsdiffSteps(patch, bsdiff), 0, 'source');
  else if (isVcdiff(patch)) addVcdiff(patch, builder);
  else if (hdiff) builder.addSteps(readHdiffSteps(patch, hdiff), 0, 'source');
  else if (lite) builder.addSteps(new HpatchLiteBody(patch, lite).steps(), 0, 'source');
  else {
    const detools = readDetoolsHeader(patch);
    if (!detools) throw unknownPatch();
    if (detools.place) addInPlace(patch, detools, builder);
    else builder.addSteps(readDetoolsSteps(patch, detools), 0, 'source');
  }
  return builder.finish();
}

/** Each segment of an update in place begins to read at a place of its own, in memory that was shifted before. */
function addInPlace(patch: Uint8Array, header: DetoolsHeader, builder: MapBuilder): void {
  const { place } = header;
  if (!place) return;
  for (const step of inPlaceSteps(patch, header))
    if (step.kind === 'make') {
      const start = Math.max((step.index + 1) * place.segmentBytes, place.shiftBytes);
      builder.addSteps(step.parts, start, 'memory');
    }
}

function addVcdiff(patch: Uint8Array, builder: MapBuilder): void {
  let windowStart = 0;
  for (const window of readVcdiffWindows(patch)) {
    const { sourceStart, sourceBytes, targetBytes } = window;
    for (const { kind, sizeBytes, address } of readInstructions(window)) {
      if (kind !== 'copy') {
        builder.add({ ...plain, kind: kind === 'run' ? 'run' : 'insert', sizeBytes });
        continue;
      }
      // What reaches over the end of the source segment goes on in the window itself.
      const fromSource = Math.max(0, Math.min(sizeBytes, sourceBytes - address));
      const copies = [
        { from: 'source' as const, sourceStart: sourceStart + address, sizeBytes: fromSource },
        {
          from: 'target' as const,
          sourceStart: windowStart + Math.max(0, address - sourceBytes),
          sizeBytes: sizeBytes - fromSource,
        },
      ];
      for (const copy of copies)
        if (copy.sizeBytes > 0) builder.add({ ...plain, ...copy, kind: 'copy' });
    }
    windowStart += targetBytes;
  }
}

const plain = { sourceStart: null, from: null, changedBytes: 0 } as const;

/** Gathers operations that lie end to end in the target. */
class MapBuilder {
  readonly #targetSizeBytes: number;
  readonly #limit: number;
  readonly #listed: PatchOperation[] = [];
  readonly #bucketBytes: number;
  readonly #shares: Record<'copied' | 'corrected' | 'inserted', number[]>;
  #total = 0;
  #targetAt = 0;

  constructor(targetSizeBytes: number, limit: number) {
    this.#targetSizeBytes = targetSizeBytes;
    this.#limit = limit;
    this.#bucketBytes = Math.max(1, Math.ceil(targetSizeBytes / mostShares));
    const length = Math.ceil(targetSizeBytes / this.#bucketBytes);
    const none = (): number[] => Array.from({ length }, () => 0);
    this.#shares = { copied: none(), corrected: none(), inserted: none() };
  }

  /** Adds what correcting steps do; a long copy or insertion comes in several steps. */
  addSteps(steps: Iterable<PatchStep>, sourceStart: number, from: PatchOperation['from']): void {
    let sourceAt = sourceStart;
    let copy = { sizeBytes: 0, changedBytes: 0 };
    let insertBytes = 0;
    const close = (): void => {
      if (copy.sizeBytes > 0)
        this.add({ kind: 'copy', sourceStart: sourceAt - copy.sizeBytes, from, ...copy });
      if (insertBytes > 0) this.add({ ...plain, kind: 'insert', sizeBytes: insertBytes });
      copy = { sizeBytes: 0, changedBytes: 0 };
      insertBytes = 0;
    };
    for (const step of steps) {
      if (step.kind === 'copy') {
        let changed = 0;
        for (const difference of step.differences) if (difference !== 0) changed++;
        copy.sizeBytes += step.differences.length;
        copy.changedBytes += changed;
        sourceAt += step.differences.length;
      } else if (step.kind === 'insert') insertBytes += step.bytes.length;
      else {
        close();
        sourceAt += step.byBytes;
      }
    }
    close();
  }

  add(operation: Omit<PatchOperation, 'targetStart'>): void {
    const targetStart = this.#targetAt;
    const { kind, sizeBytes, changedBytes } = operation;
    this.#total++;
    this.#targetAt += sizeBytes;
    if (this.#listed.length < this.#limit) this.#listed.push({ ...operation, targetStart });
    // Where in a copy its corrections are is not kept: they are spread over it evenly.
    const corrected = changedBytes / sizeBytes;
    for (let at = targetStart; at < this.#targetAt; ) {
      const bucket = Math.floor(at / this.#bucketBytes);
      const size = Math.min(this.#targetAt, (bucket + 1) * this.#bucketBytes) - at;
      if (kind === 'copy') {
        this.#count('corrected', bucket, size * corrected);
        this.#count('copied', bucket, size * (1 - corrected));
      } else this.#count('inserted', bucket, size);
      at += size;
    }
  }

  finish(): PatchMap {
    return {
      targetSizeBytes: this.#targetSizeBytes,
      total: this.#total,
      listed: this.#listed,
      shares: { bucketBytes: this.#bucketBytes, ...this.#shares },
    };
  }

  #count(share: 'copied' | 'corrected' | 'inserted', bucket: number, bytes: number): void {
    this.#shares[share][bucket] = (this.#shares[share][bucket] ?? 0) + bytes;
  }
}
