import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type InspectedFile, maxListedSegments } from '../../../shared/domain/finding.ts';
import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import { sniff, sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import { abortableSource, fileSource, readChunks } from './file-source.ts';
import { FindingList } from './finding-list.ts';
import { ContentInspection } from './inspect-content.ts';
import { checkNameAndSize } from './name-checks.ts';
import { type FileExpectations, nothingKnown } from './reading.ts';
import type { VersionSearch } from './version-check.ts';
import { WatchedChunks } from './watched-chunks.ts';

const tailBytes = 512;

/** How far reading came, and when to stop. */
export interface ReadControl {
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
}

/** An inspected file, and whether the declared version was searched for and found. */
export interface FileResult {
  readonly file: InspectedFile;
  readonly findings: FindingList;
  readonly versionSearch: VersionSearch;
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
  const tail = await source.read(Math.max(0, sizeBytes - tailBytes), tailBytes);
  const format = sizeBytes === 0 ? 'empty' : sniff(head, tail);
  const findings = new FindingList();
  checkNameAndSize(name, format, sizeBytes, expectations.fileTypes, findings);

  const hash = createHash('sha256');
  const chunks = new WatchedChunks(readChunks(handle), (chunk) => {
    signal.throwIfAborted();
    hash.update(chunk);
    onBytes(chunk.length);
  });
  const isRead = sizeBytes > 0 && sizeBytes <= maxFileSizeBytes;
  const inspection = new ContentInspection(sizeBytes, expectations.version, findings, signal);
  const piece = {
    name,
    format,
    path: undefined,
    around: [],
    chunks,
    source,
    findings,
    expectations,
  };
  const inside = isRead ? await inspection.inspectFile(piece) : nothingKnown;
  await chunks.drain();
  const versionSearch = isRead ? inspection.finish(inside, findings) : 'not-searched';
  const sha256 = hash.digest('hex');
  findings.add('file.hash', `${sizeBytes} bytes, SHA-256 ${sha256}`);
  const segments = inside.segments.slice(0, maxListedSegments);
  return {
    file: {
      name,
      sizeBytes,
      sha256,
      format,
      ...(segments.length > 0 ? { segments } : {}),
      findings: [],
    },
    findings,
    versionSearch,
  };
}
