import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  type InspectedFile,
  keptHeadBytes,
  maxListedSegments,
} from '../../../shared/domain/finding.ts';
import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import { hexText } from '../../../shared/formats/image-facts.ts';
import { sniff, sniffHeadBytes, sniffTailBytes } from '../../../shared/formats/sniff.ts';
import { describedFormatOf } from './described-check.ts';
import { abortableSource, fileSource, readChunks } from './file-source.ts';
import { FindingList } from './finding-list.ts';
import { ContentInspection, type FoundInside, nothingFound } from './inspect-content.ts';
import { checkNameAndSize } from './name-checks.ts';
import { type FileExpectations, nothingKnown } from './reading.ts';
import { WatchedChunks } from './watched-chunks.ts';

/** How far reading came, and when to stop. */
export interface ReadControl {
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
}

/** An inspected file, and what was found in it for rules about the package as a whole. */
export interface FileResult {
  readonly file: InspectedFile;
  readonly findings: FindingList;
  readonly found: FoundInside;
}

/**
 * Inspects a file: tells its format from its content, reads it once in windows of 1 MiB for what
 * holds for every format, and lets the reader of its format check the inside.
 */
export async function inspectFile(
  path: string,
  name: string,
  expectations: FileExpectations,
  control: ReadControl,
): Promise<FileResult> {
  const handle = await open(path, 'r');
  try {
    return await inspectOpenFile(handle, name, expectations, control);
  } finally {
    await handle.close();
  }
}

async function inspectOpenFile(
  handle: FileHandle,
  name: string,
  expectations: FileExpectations,
  { signal, onBytes }: ReadControl,
): Promise<FileResult> {
  const { size: sizeBytes } = await handle.stat();
  const source = abortableSource(fileSource(handle, sizeBytes), signal);
  const head = await source.read(0, sniffHeadBytes);
  const tail = await source.read(Math.max(0, sizeBytes - sniffTailBytes), sniffTailBytes);
  const findings = new FindingList();
  const isRead = sizeBytes > 0 && sizeBytes <= maxFileSizeBytes;
  const { formats = [], fileTypes } = expectations;
  const described = isRead ? await describedFormatOf(name, source, formats, findings) : null;
  const format = described?.name ?? (sizeBytes === 0 ? 'empty' : sniff(head, tail));
  checkNameAndSize(name, format, sizeBytes, fileTypes, findings);

  const hash = createHash('sha256');
  const chunks = new WatchedChunks(readChunks(handle), (chunk) => {
    signal.throwIfAborted();
    hash.update(chunk);
    onBytes(chunk.length);
  });
  const inspection = new ContentInspection(sizeBytes, expectations, findings, signal);
  const content = { name, format, described, path: undefined, around: [], chunks, source };
  const piece = { ...content, findings, expectations };
  const inside = isRead ? await inspection.inspectFile(piece) : nothingKnown;
  await chunks.drain();
  const found = isRead ? inspection.finish(inside, findings) : nothingFound;
  const { entropy } = inspection;
  const sha256 = hash.digest('hex');
  findings.add('file.hash', `${sizeBytes} bytes, SHA-256 ${sha256}`);
  const segments = inside.segments.slice(0, maxListedSegments);
  return {
    file: {
      name,
      sizeBytes,
      sha256,
      format,
      head: hexText(head.subarray(0, keptHeadBytes)),
      ...(segments.length > 0 ? { segments } : {}),
      ...(entropy === null ? {} : { entropy }),
      ...(found.image ? { identity: found.image.identity } : {}),
      findings: [],
    },
    findings,
    found,
  };
}
