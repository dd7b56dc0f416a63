import { Bzip2Reader } from '../formats/bzip2-reader.ts';
import { offsetBytes, readOffset } from '../formats/bsdiff-offsets.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { checkTargetSize, corruptPatch, mostEmptyOperations } from './patch-problems.ts';
import type { PatchStep } from './patch-steps.ts';
import { PatchStream } from './patch-stream.ts';

const magic40 = 'BSDIFF40';
const magic43 = 'ENDSLEY/BSDIFF43';

/** The parts of a patch of bsdiff's family, offsets and sizes in bytes. */
export interface BsdiffHeader {
  readonly format: 'bsdiff40' | 'bsdiff43';
  readonly targetSizeBytes: number;
  readonly headerBytes: number;
  /** Compressed streams in the order of the file: control, diff, extra, or the only one. */
  readonly streams: readonly {
    readonly name: string;
    readonly offset: number;
    readonly sizeBytes: number;
  }[];
}

/** Reads the header; null when the bytes begin like no patch of bsdiff's family. @throws ProblemError `patch-corrupt` */
export function readBsdiffHeader(patch: Uint8Array): BsdiffHeader | null {
  if (beginsWith(patch, magic40)) return readHeader40(patch);
  return beginsWith(patch, magic43) ? readHeader43(patch) : null;
}

function readHeader40(patch: Uint8Array): BsdiffHeader {
  const headerBytes = 32;
  if (patch.length < headerBytes)
    throw corruptPatch(patch.length, `the header needs ${headerBytes} bytes`);
  const control = readOffset(patch, 8);
  const diff = readOffset(patch, 16);
  const targetSizeBytes = readOffset(patch, 24);
  if (control < 0 || diff < 0 || headerBytes + control + diff > patch.length)
    throw corruptPatch(8, 'the stream lengths do not fit the file');
  checkTargetSize(targetSizeBytes, 24);
  const diffStart = headerBytes + control;
  const extraStart = diffStart + diff;
  return {
    format: 'bsdiff40',
    targetSizeBytes,
    headerBytes,
    streams: [
      { name: 'control', offset: headerBytes, sizeBytes: control },
      { name: 'diff', offset: diffStart, sizeBytes: diff },
      { name: 'extra', offset: extraStart, sizeBytes: patch.length - extraStart },
    ],
  };
}

function readHeader43(patch: Uint8Array): BsdiffHeader {
  const headerBytes = 24;
  if (patch.length < headerBytes)
    throw corruptPatch(patch.length, `the header needs ${headerBytes} bytes`);
  const targetSizeBytes = readOffset(patch, 16);
  checkTargetSize(targetSizeBytes, 16);
  return {
    format: 'bsdiff43',
    targetSizeBytes,
    headerBytes,
    streams: [{ name: 'patch', offset: headerBytes, sizeBytes: patch.length - headerBytes }],
  };
}

/** The steps of a BSDIFF40 or ENDSLEY/BSDIFF43 patch. @throws ProblemError `patch-corrupt` naming the offset, `delta-ram` */
export function* readBsdiffSteps(
  patch: Uint8Array,
  header: BsdiffHeader,
  memory = new DecoderMemory(),
): Generator<PatchStep> {
  const streams = header.streams.map(
    ({ name, offset, sizeBytes }) =>
      new PatchStream(
        name,
        offset,
        memory,
        () => new Bzip2Reader(patch.subarray(offset, offset + sizeBytes), memory.isLimited),
      ),
  );
  const [control, diff = control, extra = control] = streams;
  if (!control || !diff || !extra) throw new Error('a patch has at least one stream');
  const entry = new Uint8Array(3 * offsetBytes);
  const piece = memory.buffer();
  let sourceAt = 0;
  let emptyEntries = 0;
  for (let number = 0, done = 0; done < header.targetSizeBytes; number++) {
    control.fill(entry);
    const copyBytes = readOffset(entry, 0);
    const insertBytes = readOffset(entry, offsetBytes);
    const byBytes = readOffset(entry, 2 * offsetBytes);
    emptyEntries = copyBytes + insertBytes === 0 ? emptyEntries + 1 : 0;
    if (emptyEntries > mostEmptyOperations)
      throw corruptPatch(header.headerBytes, `control entry ${number} does nothing, like others`);
    if (copyBytes < 0 || insertBytes < 0 || copyBytes + insertBytes > header.targetSizeBytes - done)
      throw corruptPatch(header.headerBytes, `control entry ${number} does not fit the target`);
    for (const differences of diff.pieces(copyBytes, piece)) yield { kind: 'copy', differences };
    for (const bytes of extra.pieces(insertBytes, piece)) yield { kind: 'insert', bytes };
    done += copyBytes + insertBytes;
    sourceAt += copyBytes + byBytes;
    if (!Number.isSafeInteger(sourceAt))
      throw corruptPatch(header.headerBytes, `control entry ${number} seeks too far`);
    yield { kind: 'seek', byBytes };
  }
  for (const stream of streams) stream.finish();
}

function beginsWith(bytes: Uint8Array, magic: string): boolean {
  return (
    bytes.length >= magic.length &&
    [...magic].every((char, index) => bytes[index] === char.charCodeAt(0))
  );
}
