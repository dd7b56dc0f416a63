import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type InspectedFile, maxListedSegments } from '../../../shared/domain/finding.ts';
import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import { hexByte } from '../../../shared/formats/report.ts';
import { sniff, sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import { ScriptScan, UniformScan } from './content-scan.ts';
import { abortableSource, fileSource, readChunks } from './file-source.ts';
import { FindingList } from './finding-list.ts';
import { readerOf } from './format-table.ts';
import { checkNameAndSize } from './name-checks.ts';
import { type FileExpectations, type FormatReader, nothingKnown } from './reading.ts';
import { TextSearch } from './text-search.ts';
import { checkVersion, type VersionSearch } from './version-check.ts';
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

  const isRead = sizeBytes > 0 && sizeBytes <= maxFileSizeBytes;
  const reader: FormatReader = isRead ? readerOf(name, format) : { search: 'content' };
  const search = new TextSearch(reader.search === 'compressed' ? undefined : expectations.version);
  const { push: onContent, endPiece: onMemberEnd } = search;
  const reading = { name, format, expectations, findings, signal, onContent, onMemberEnd };
  const hash = createHash('sha256');
  const uniform = new UniformScan();
  const script = isRead && /\.py$/i.test(name) ? new ScriptScan() : undefined;
  const chunks = new WatchedChunks(readChunks(handle), (chunk) => {
    signal.throwIfAborted();
    hash.update(chunk);
    uniform.push(chunk);
    script?.push(chunk);
    if (reader.search !== 'content') search.push(chunk);
    onBytes(chunk.length);
  });
  let inside = (await reader.stream?.(chunks, reading)) ?? nothingKnown;
  await chunks.drain();
  tellUniform(uniform, findings);
  tellScript(name, script, findings);
  if (reader.read !== undefined) inside = await reader.read(source, reading);

  const hit = search.finish(findings);
  const isSearched =
    isRead && reader.search !== 'compressed' && !(hit === null && inside.compressed);
  const { version: declared } = expectations;
  const versionSearch =
    declared === undefined
      ? 'not-searched'
      : checkVersion(declared, inside.version, isSearched ? hit : undefined, findings);
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

function tellUniform(uniform: UniformScan, findings: FindingList): void {
  const value = uniform.result();
  if (value !== 0 && value !== 0xff) return;
  const rule = value === 0 ? 'file.all-00' : 'file.all-ff';
  findings.add(rule, `every byte is ${hexByte(value)}`, { offset: 0 });
}

function tellScript(name: string, script: ScriptScan | undefined, findings: FindingList): void {
  if (script === undefined) return;
  const { notTextAt, conflictLine } = script.finish();
  if (notTextAt !== null) findings.add('script.not-text', `"${name}"`, { offset: notTextAt });
  if (conflictLine !== null) findings.add('script.conflict', `line ${conflictLine}`);
}
