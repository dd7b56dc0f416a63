import type { DecoderNeeds, PatchHead } from '../domain/delta.ts';
import { probabilities } from '../domain/delta-cost.ts';
import { ProblemError } from '../domain/problem.ts';
import { readLzmaHeader } from '../formats/lzma-reader.ts';
import { tinyuzDictionary } from '../formats/tinyuz-reader.ts';
import { readBsdiffHeader } from './bsdiff-reader.ts';
import { type DetoolsHeader, readDetoolsHeader } from './detools-format.ts';
import { type HdiffHeader, readHdiffHeader } from './hdiff-format.ts';
import { type HpatchLiteHeader, readHpatchLiteHeader } from './hpatchlite-format.ts';
import { corruptPatch, unknownPatch } from './patch-problems.ts';
import { isVcdiff, readVcdiffWindows, sectionsBytes } from './vcdiff-reader.ts';

const noNeeds: DecoderNeeds = {
  heatshrinkWindowBits: null,
  heatshrinkLookaheadBits: null,
  lzmaDictionaryBytes: null,
  lzmaProbabilities: null,
  tinyuzDictionaryBytes: null,
  windowBytes: null,
  memoryBytes: null,
  segmentBytes: null,
  shiftBytes: null,
};

/**
 * Reads what a patch is and what its decoder needs, without decoding it.
 * @throws ProblemError `patch-format` | `patch-corrupt` | `patch-unsupported`
 */
export function readPatchHead(patch: Uint8Array): PatchHead {
  const common = { patchSizeBytes: patch.length, compression: null, sourceSizeBytes: null };
  const bsdiff = readBsdiffHeader(patch);
  if (bsdiff) {
    const { format, targetSizeBytes } = bsdiff;
    return { ...common, format, targetSizeBytes, decoder: noNeeds };
  }
  if (isVcdiff(patch)) {
    let targetSizeBytes = 0;
    let largestBytes = 0;
    let largestSectionsBytes = 0;
    for (const { targetBytes, sections } of readVcdiffWindows(patch)) {
      targetSizeBytes += targetBytes;
      largestBytes = Math.max(largestBytes, targetBytes);
      largestSectionsBytes = Math.max(largestSectionsBytes, sectionsBytes(sections));
    }
    const windowBytes = largestBytes + largestSectionsBytes;
    return { ...common, format: 'vcdiff', targetSizeBytes, decoder: { ...noNeeds, windowBytes } };
  }
  const hdiff = readHdiffHeader(patch);
  if (hdiff) {
    const { compression, sourceSizeBytes, targetSizeBytes } = hdiff;
    const decoder = hdiffNeeds(hdiff);
    const sizes = { sourceSizeBytes, targetSizeBytes };
    return { ...common, ...sizes, format: 'hdiffpatch', compression, decoder };
  }
  const lite = readHpatchLiteHeader(patch);
  if (lite) {
    const { compression, targetSizeBytes } = lite;
    const decoder = hpatchLiteNeeds(patch, lite);
    return { ...common, format: 'hpatchlite', compression, targetSizeBytes, decoder };
  }
  const detools = readDetoolsHeader(patch);
  if (!detools) throw unknownPatch();
  return {
    ...common,
    format: detools.place ? 'detools-inplace' : 'detools',
    compression: detools.compression,
    targetSizeBytes: detools.targetSizeBytes,
    sourceSizeBytes: detools.place?.sourceSizeBytes ?? null,
    decoder: detoolsNeeds(patch, detools),
  };
}

/**
 * What bytes that arrive piece by piece are, by the first of them: `maybe` where a detools patch begins so, whose
 * header has no magic, and where more bytes would be needed.
 */
export function patchBeginning(beginning: Uint8Array): 'patch' | 'maybe' | 'none' {
  if (isVcdiff(beginning)) return 'patch';
  const reads = [readBsdiffHeader, readHdiffHeader, readHpatchLiteHeader] as const;
  if (reads.some((read) => begins(read, beginning))) return 'patch';
  return begins(readDetoolsHeader, beginning) ? 'maybe' : 'none';
}

/** A header that cannot be read has begun as one. */
function begins(read: (bytes: Uint8Array) => object | null, beginning: Uint8Array): boolean {
  try {
    return read(beginning) !== null;
  } catch (error) {
    if (error instanceof ProblemError) return true;
    throw error;
  }
}

function hdiffNeeds({ cover, control, runs, fresh }: HdiffHeader): DecoderNeeds {
  let [dictionaryBytes, probabilityCount, lzmaStreams] = [0, 0, 0];
  for (const { lzma } of [cover, control, runs, fresh]) {
    if (!lzma) continue;
    dictionaryBytes += lzma.dictionaryBytes;
    probabilityCount += probabilities(lzma.literalContextBits, lzma.literalPositionBits);
    lzmaStreams++;
  }
  return {
    ...noNeeds,
    lzmaDictionaryBytes: dictionaryBytes,
    lzmaProbabilities: probabilityCount,
    lzmaStreams,
  };
}

function hpatchLiteNeeds(
  patch: Uint8Array,
  { compression, headerBytes }: HpatchLiteHeader,
): DecoderNeeds {
  if (compression === 'none') return noNeeds;
  try {
    return { ...noNeeds, tinyuzDictionaryBytes: tinyuzDictionary(patch.subarray(headerBytes)) };
  } catch (error) {
    throw corruptPatch(headerBytes, error instanceof Error ? error.message : String(error));
  }
}

function detoolsNeeds(patch: Uint8Array, header: DetoolsHeader): DecoderNeeds {
  const { compression, headerBytes, place } = header;
  const body = patch.subarray(headerBytes);
  const shape = body[0];
  const needs = {
    ...noNeeds,
    memoryBytes: place?.memoryBytes ?? null,
    segmentBytes: place?.segmentBytes ?? null,
    shiftBytes: place?.shiftBytes ?? null,
  };
  if (shape === undefined) return needs;
  if (compression === 'heatshrink')
    return {
      ...needs,
      heatshrinkWindowBits: (shape >> 4) + 4,
      heatshrinkLookaheadBits: (shape & 15) + 3,
    };
  if (compression !== 'lzma') return needs;
  try {
    const { dictionaryBytes, literalContextBits, literalPositionBits } = readLzmaHeader(body);
    return {
      ...needs,
      lzmaDictionaryBytes: dictionaryBytes,
      lzmaProbabilities: probabilities(literalContextBits, literalPositionBits),
    };
  } catch (error) {
    throw corruptPatch(headerBytes, error instanceof Error ? error.message : String(error));
  }
}
