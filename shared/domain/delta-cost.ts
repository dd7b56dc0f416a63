import type {
  Compression,
  DeltaLimits,
  DetoolsCompression,
  DeviceCost,
  HdiffCompression,
  HpatchLiteCompression,
  PatchChoice,
  PatchFormat,
  PatchHead,
} from './delta.ts';
import { problem } from './problem.ts';
import { byteText } from './progress-text.ts';

/** A choice in words: the format and, if it has one, its compression. */
export function choiceText({
  format,
  compression,
}: {
  readonly format: string;
  readonly compression?: Compression | null | undefined;
}): string {
  return compression ? `${format} ${compression}` : format;
}

/** State of one bzip2 -9 decoder: 100 kB and four bytes for each of 900,000 (manual of bzip2). */
const bzip2DecoderBytes = 3_700_000;
/** State and chunk buffers of the detools decoder in C. */
const detoolsBytes = 1024;
const heatshrinkInputBytes = 256;
/** State of an LZMA decoder beside dictionary and probabilities. */
const lzmaStateBytes = 4096;
/** A patch that saves less of the compressed full image is not worth its risk. */
const leastSavingPercent = 10;
const leastHeatshrinkBits = 4;
const mostHeatshrinkBits = 15;
const leastDictionaryBytes = 4096;
const usualDictionaryBytes = 8 * 1024 * 1024;
/** What is smaller is no window: the objection then says what the device lacks. */
const leastWindowBytes = 1024;
const usualWindowBytes = 8 * 1024 * 1024;
/** State, stack and caches of the decoder of HPatchLite in C, its input and output byte by byte in small pieces. */
const hpatchLiteBytes = 512;
const hpatchLiteCompressions: readonly HpatchLiteCompression[] = ['none', 'tinyuz'];
/** Caches of the decoder of HDiffPatch in C, and of each of its four LZMA streams (HDiffPatch, `patch.h`, `decompress_plugin_demo.h`). */
const hdiffBytes = 6 * 1024;
const hdiffStreams = 4;
const hdiffStreamBytes = 32 * 1024;
const hdiffCompressions: readonly HdiffCompression[] = ['none', 'lzma'];
/** Literal contexts of LZMA are of three bits, or of four where those make a smaller patch. */
const leastContextBits = 3;
const mostContextBits = 4;
const detoolsCompressions: readonly DetoolsCompression[] = ['none', 'crle', 'heatshrink', 'lzma'];
const leastTinyuzBytes = 64;
/** Caches of addresses and state of a VCDIFF decoder. */
const vcdiffStateBytes = 4096;
/** So much of the rest of the RAM is for the target window of VCDIFF; its instructions may take as much. */
const windowShare = 0.49;

/** What the encoders may ask of a device's decoder, in bits and bytes. */
export interface EncoderLimits {
  readonly heatshrinkWindowBits: number;
  readonly lzmaDictionaryBytes: number;
  /** Literal contexts are of so many bits at most: more of them take more RAM beside the dictionary. */
  readonly lzmaContextBits: number;
  /** Of each of the streams of HDIFF13. */
  readonly hdiffDictionaryBytes: number;
  readonly tinyuzDictionaryBytes: number;
  readonly vcdiffWindowBytes: number;
}

/** The largest decoder that the device's RAM holds. */
export function encoderLimits({ ramBytes = Number.POSITIVE_INFINITY }: DeltaLimits): EncoderLimits {
  const forWindow = ramBytes - detoolsBytes - heatshrinkInputBytes;
  const forLzma = ramBytes - detoolsBytes - lzmaStateBytes;
  const forDictionary = forLzma - 2 * probabilities(leastContextBits, 0);
  const forStream =
    (ramBytes - hdiffBytes) / hdiffStreams -
    hdiffStreamBytes -
    lzmaStateBytes -
    2 * probabilities(mostContextBits, 0);
  const power = (bytes: number): number => Math.floor(Math.log2(Math.max(1, bytes)));
  const lzmaDictionaryBytes = 2 ** Math.min(power(usualDictionaryBytes), power(forDictionary));
  const isWide = lzmaDictionaryBytes + 2 * probabilities(mostContextBits, 0) <= forLzma;
  return {
    heatshrinkWindowBits: Math.min(mostHeatshrinkBits, power(forWindow)),
    lzmaDictionaryBytes,
    lzmaContextBits: isWide ? mostContextBits : leastContextBits,
    hdiffDictionaryBytes: 2 ** Math.min(power(usualDictionaryBytes), power(forStream)),
    tinyuzDictionaryBytes: Math.min(usualDictionaryBytes, Math.max(1, ramBytes - hpatchLiteBytes)),
    vcdiffWindowBytes: Math.min(
      usualWindowBytes,
      Math.max(leastWindowBytes, Math.floor((ramBytes - vcdiffStateBytes) * windowShare)),
    ),
  };
}

/** Probabilities of an LZMA decoder, two bytes each (LZMA specification). */
export function probabilities(literalContextBits: number, literalPositionBits: number): number {
  return 1846 + 768 * 2 ** (literalContextBits + literalPositionBits);
}

/**
 * The formats worth making for a device: those that it has a decoder for and whose decoder can fit its RAM. An in-place
 * patch needs to know the memory.
 */
export function allowedChoices(limits: DeltaLimits): readonly PatchChoice[] {
  const most = encoderLimits(limits);
  const fitting = detoolsCompressions.filter(
    (compression) =>
      (limits.compressions?.includes(compression) ?? true) &&
      (compression !== 'heatshrink' || most.heatshrinkWindowBits >= leastHeatshrinkBits) &&
      (compression !== 'lzma' || most.lzmaDictionaryBytes >= leastDictionaryBytes),
  );
  const formats: readonly PatchFormat[] = limits.formats ?? [
    'bsdiff',
    'bsdiff43',
    'vcdiff',
    'detools',
    'detools-inplace',
  ];
  return formats.flatMap((format): PatchChoice[] => {
    if (format === 'detools-inplace' && !(limits.memoryBytes && limits.segmentBytes)) return [];
    if (format === 'detools' || format === 'detools-inplace')
      return fitting.map((compression) => ({ format, compression }));
    if (format === 'hpatchlite')
      return hpatchLiteCompressions
        .filter(
          (compression) =>
            (limits.compressions?.includes(compression) ?? true) &&
            (compression !== 'tinyuz' || most.tinyuzDictionaryBytes >= leastTinyuzBytes),
        )
        .map((compression) => ({ format, compression }));
    if (format === 'hdiffpatch')
      return hdiffCompressions
        .filter(
          (compression) =>
            (limits.ramBytes ?? hdiffBytes) >= hdiffBytes &&
            (limits.compressions?.includes(compression) ?? true) &&
            (compression !== 'lzma' || most.hdiffDictionaryBytes >= leastDictionaryBytes),
        )
        .map((compression) => ({ format, compression }));
    return [{ format, compression: null }];
  });
}

/** Whether another choice makes a smaller patch of all but tiny ones: weaker compressions, and BSDIFF43 beside BSDIFF40. */
function isBeaten(
  { format, compression }: PatchChoice,
  choices: readonly PatchChoice[],
  most: EncoderLimits,
): boolean {
  if (format === 'bsdiff43') return choices.some((rival) => rival.format === 'bsdiff');
  if (format === 'hpatchlite')
    return (
      compression === 'none' &&
      choices.some((rival) => rival.format === format && rival.compression === 'tinyuz')
    );
  if (compression === null || compression === 'lzma') return false;
  // In little RAM the window of heatshrink is larger than the dictionary of LZMA.
  if (compression === 'heatshrink' && most.lzmaDictionaryBytes < 2 ** most.heatshrinkWindowBits)
    return false;
  return choices.some((rival) => rival.format === format && rival.compression === 'lzma');
}

/** The compressions that a format leaves to choose. */
function compressionsOf(format: PatchFormat): readonly Compression[] {
  if (format === 'hpatchlite') return hpatchLiteCompressions;
  if (format === 'hdiffpatch') return hdiffCompressions;
  const isDetools = format === 'detools' || format === 'detools-inplace';
  return isDetools ? detoolsCompressions : [];
}

/**
 * What is asked for: a format and, for detools, HPatchLite and HDiffPatch, a compression; `auto` leaves the choice to the size. Without a format
 * a described device gets the smallest patch that it can apply; of one that nothing is said about, the oldest and most
 * common decoder is assumed, that of BSDIFF40.
 */
export interface PatchRequest {
  readonly format?: PatchFormat | 'auto' | undefined;
  readonly compression?: Compression | undefined;
}

/** What is made for a request. */
export interface RequestedChoices {
  readonly choices: readonly PatchChoice[];
  /** Left out of `auto`, since others make smaller patches of all but tiny ones, whose heads decide. */
  readonly spare: readonly PatchChoice[];
}

/** The choices worth making for a request, within the limits of the device. @throws ProblemError `delta-compression` */
export function choicesFor(request: PatchRequest, limits: DeltaLimits): RequestedChoices {
  const { compression } = request;
  const isDescribed = compression !== undefined || Object.keys(limits).length > 0;
  const format = request.format ?? (isDescribed ? 'auto' : 'bsdiff');
  const offered = format === 'auto' ? [] : compressionsOf(format);
  const hasCompression = offered.length > 0;
  if (compression && format !== 'auto' && !offered.includes(compression))
    throw problem(
      'delta-compression',
      hasCompression
        ? 'This format is not compressed that way'
        : 'This format leaves no choice of compression',
      `${format} is not compressed with ${compression}: ${hasCompression ? `it offers ${offered.join(', ')}` : 'only detools, detools-inplace, hpatchlite and hdiffpatch are'}.`,
      'Leave out the compression, or choose another format.',
      'usage',
    );
  // What is asked for by name is made even when the device has no decoder for it: the objection then says so.
  if (format !== 'auto' && !hasCompression)
    return { choices: [{ format, compression: null }], spare: [] };
  if (format !== 'auto' && compression) return { choices: [{ format, compression }], spare: [] };
  // What only one format has names it.
  const named = format === 'auto' && compression === 'tinyuz' ? 'hpatchlite' : format;
  const isFree = named === 'auto' || (format === 'auto' && limits.formats !== undefined);
  const allowed = allowedChoices(isFree ? limits : { ...limits, formats: [named] }).filter(
    (choice) => !compression || choice.compression === compression,
  );
  const spare = allowed.filter((choice) => isBeaten(choice, allowed, encoderLimits(limits)));
  return { choices: allowed.filter((choice) => !spare.includes(choice)), spare };
}

/** What applying the patch costs. `sourceSizeBytes` is the image on the device. */
export function deviceCost(
  head: PatchHead,
  sourceSizeBytes: number,
  limits: DeltaLimits,
): DeviceCost {
  const { targetSizeBytes, patchSizeBytes, decoder } = head;
  const segmentBytes = decoder.segmentBytes ?? limits.segmentBytes ?? null;
  const isInPlace = decoder.memoryBytes !== null;
  // These have several streams that are read at once: the patch must be stored first.
  const isStored = head.format === 'bsdiff40' || head.format === 'hdiffpatch';
  const storedPatchBytes = isStored ? patchSizeBytes : 0;
  const segments = segmentBytes === null ? null : Math.ceil(targetSizeBytes / segmentBytes);
  return {
    ramBytes: decoderRam(head, sourceSizeBytes),
    flashBytes: isInPlace
      ? (decoder.memoryBytes ?? 0)
      : sourceSizeBytes + targetSizeBytes + storedPatchBytes,
    airBytes: patchSizeBytes,
    airSeconds: limits.linkBytesPerSecond ? patchSizeBytes / limits.linkBytesPerSecond : null,
    erases: segments === null ? null : segments + movedSegments(head),
  };
}

/** Segments of the source that an update in place moves before it begins. */
export function movedSegments({ decoder, sourceSizeBytes }: PatchHead): number {
  const { memoryBytes, segmentBytes, shiftBytes } = decoder;
  if (memoryBytes === null || segmentBytes === null || shiftBytes === null) return 0;
  return Math.ceil(Math.min(sourceSizeBytes ?? 0, memoryBytes - shiftBytes) / segmentBytes);
}

function decoderRam(
  { format, targetSizeBytes, decoder }: PatchHead,
  sourceSizeBytes: number,
): number {
  // bspatch of both families holds source and target in memory.
  if (format === 'bsdiff40') return sourceSizeBytes + targetSizeBytes + 3 * bzip2DecoderBytes;
  if (format === 'bsdiff43') return sourceSizeBytes + targetSizeBytes + bzip2DecoderBytes;
  if (format === 'vcdiff') return vcdiffStateBytes + (decoder.windowBytes ?? 0);
  if (format === 'hpatchlite') return hpatchLiteBytes + (decoder.tinyuzDictionaryBytes ?? 0);
  const streams = decoder.lzmaStreams ?? 1;
  let ramBytes = detoolsBytes;
  if (format === 'hdiffpatch') ramBytes = hdiffBytes + streams * hdiffStreamBytes;
  if (decoder.heatshrinkWindowBits !== null)
    ramBytes += heatshrinkInputBytes + 2 ** decoder.heatshrinkWindowBits;
  if (decoder.lzmaDictionaryBytes !== null)
    ramBytes +=
      streams * lzmaStateBytes + decoder.lzmaDictionaryBytes + 2 * (decoder.lzmaProbabilities ?? 0);
  return ramBytes;
}

/** Why the device cannot apply the patch; empty when it can. */
export function objections(
  choice: PatchChoice,
  cost: DeviceCost,
  limits: DeltaLimits,
): readonly string[] {
  const { formats, compressions, ramBytes, flashBytes, memoryBytes } = limits;
  const isInPlace = choice.format === 'detools-inplace';
  const why: string[] = [];
  if (formats && !formats.includes(choice.format))
    why.push(`the device decodes ${formats.join(', ')}, not ${choice.format}`);
  if (choice.compression && compressions && !compressions.includes(choice.compression))
    why.push(`its decoder has ${compressions.join(', ')}, not ${choice.compression}`);
  if (ramBytes !== undefined && cost.ramBytes > ramBytes)
    why.push(`the decoder needs ${moreText(cost.ramBytes, 'of RAM', ramBytes)}`);
  const mostFlashBytes = isInPlace ? memoryBytes : flashBytes;
  if (mostFlashBytes !== undefined && cost.flashBytes > mostFlashBytes)
    why.push(`it needs ${moreText(cost.flashBytes, 'of flash', mostFlashBytes)}`);
  return why;
}

/** Both sizes in units that people read, or in bytes where these do not show which is larger. */
function moreText(neededBytes: number, what: string, hasBytes: number): string {
  const [needed, has] = [byteText(neededBytes), byteText(hasBytes)];
  return needed === has
    ? `${neededBytes} bytes ${what}, the device has ${hasBytes}`
    : `${needed} ${what}, the device has ${has}`;
}

/** Whether to publish the patch or the full image, with the reason. */
export interface Advice {
  readonly publish: 'delta' | 'full';
  readonly reason: string;
}

/** Advises the full image when the patch saves less than a tenth of it, compressed. */
export function advise(patchSizeBytes: number, compressedFullBytes: number): Advice {
  const savedBytes = compressedFullBytes - patchSizeBytes;
  const percent = `${((savedBytes * 100) / Math.max(1, compressedFullBytes)).toFixed(1)} %`;
  if (savedBytes * 100 >= compressedFullBytes * leastSavingPercent && savedBytes > 0)
    return { publish: 'delta', reason: `The patch saves ${percent} of the compressed full image.` };
  return {
    publish: 'full',
    reason:
      savedBytes > 0
        ? `The patch saves only ${percent} of the compressed full image; less than ${leastSavingPercent} % is not worth a delta.`
        : `The patch is not smaller than the compressed full image (${byteText(compressedFullBytes)}).`,
  };
}
