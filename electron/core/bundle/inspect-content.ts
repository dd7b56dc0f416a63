import type { ContentEntropy } from '../../../shared/domain/finding.ts';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import type { ImageIdentity } from '../../../shared/domain/image-identity.ts';
import { searchedTexts } from '../../../shared/domain/identity/examined-file.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { ByteStream } from '../../../shared/formats/byte-stream.ts';
import { readRange } from '../../../shared/formats/image-facts.ts';
import { hexByte } from '../../../shared/formats/report.ts';
import { sniff, sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import { ContentMeasure } from './content-measure.ts';
import { ScriptScan } from './content-scan.ts';
import { describedMember, describedReader } from './described-check.ts';
import { isRawName } from './file-types.ts';
import { type FindingList, memberPath } from './finding-list.ts';
import { readerOf } from './format-table.ts';
import { JoinedPieces } from './joined-pieces.ts';
import { BlockPool, KeptContent } from './kept-content.ts';
import { Budget, InspectionEnd } from './limits.ts';
import {
  type FileExpectations,
  type FormatReader,
  type Inside,
  type Member,
  nothingKnown,
} from './reading.ts';
import { type SearchResult, TextSearch } from './text-search.ts';
import { checkVersion, type DescribedVersion, type VersionSearch } from './version-check.ts';
import { WatchedChunks } from './watched-chunks.ts';

/** Content in the pipeline: the file itself, or what stands in it. */
interface Piece {
  readonly name: string;
  readonly format: string;
  /** The description of the format when slipway.yaml has one. */
  readonly described: DescribedFormat | null;
  /** Where it stands in the file; undefined is the file itself. */
  readonly path: string | undefined;
  /** Formats that it stands in, the outermost first. */
  readonly around: readonly string[];
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The same content for random access; a member has none until it is kept. */
  readonly source?: ByteSource;
  readonly isPartial?: boolean;
  readonly findings: FindingList;
  readonly expectations: FileExpectations;
}

/** An image that says something about itself: the file, or one that stands in it. */
interface IdentifiedImage {
  readonly format: string;
  readonly identity: ImageIdentity;
}

/** What was found in a file, for rules that compare it with what it is meant to be. */
export interface FoundInside extends SearchResult {
  /** Whether the declared version was searched for and found. */
  readonly versionSearch: VersionSearch;
  /** The image that the file is, or the only one that stands in it. */
  readonly image: IdentifiedImage | undefined;
}

/** What is found in a file that is not read. */
export const nothingFound: FoundInside = {
  texts: new Map(),
  certificates: [],
  versionSearch: 'not-searched',
  image: undefined,
};

/** Inspects one file and everything that stands in it, with limits that all of it shares. */
export class ContentInspection {
  readonly #search: TextSearch;
  /** Versions that images in archives carry. */
  readonly #memberVersions: DescribedVersion[] = [];
  /** Images that say something about themselves, the file's own first. */
  readonly #images: IdentifiedImage[] = [];
  /** Whether some of the content cannot be searched for a version. */
  #isPartlyCompressed = false;
  readonly #fileSizeBytes: number;
  readonly #version: string | undefined;
  readonly #signal: AbortSignal;
  readonly #budget: Budget;
  readonly #pool = new BlockPool();
  readonly #measure = new ContentMeasure();
  /** Content in which texts, also versions, are searched. */
  readonly #content: JoinedPieces;
  /** Of the file, or of the only content of a compressed file. */
  #entropy: ContentEntropy | null = null;

  constructor(
    fileSizeBytes: number,
    { version, identity }: FileExpectations,
    findings: FindingList,
    signal: AbortSignal,
  ) {
    this.#fileSizeBytes = fileSizeBytes;
    this.#version = version;
    this.#signal = signal;
    this.#budget = new Budget(findings.add);
    const texts = new Set([
      ...(version === undefined ? [] : [version]),
      ...searchedTexts(identity),
    ]);
    const certificates = identity?.product.supportEnds !== undefined;
    this.#search = new TextSearch(texts, { certificates });
    this.#content = new JoinedPieces((bytes) => {
      this.#search.push(bytes);
      this.#measure.push(bytes);
    });
  }

  /** How random the content is; null when there was too little to measure, or members only. */
  get entropy(): ContentEntropy | null {
    return this.#entropy;
  }

  /** Inspects the file; what a limit of the archives in it cuts off is told. */
  async inspectFile(piece: Piece): Promise<Inside> {
    try {
      return await this.#inspect(piece);
    } catch (error) {
      if (!(error instanceof InspectionEnd)) throw error;
      this.#isPartlyCompressed = true;
      return nothingKnown;
    }
  }

  /** Tells the texts that were found, after everything else. */
  finish(inside: Inside, findings: FindingList): FoundInside {
    const { texts: hits, certificates } = this.#search.finish(findings);
    // What is not found may stand where nothing can be searched.
    const texts = new Map([...hits].filter(([, hit]) => hit !== null || !this.#isPartlyCompressed));
    const evidence = { described: inside.version, inMembers: this.#memberVersions };
    const versionSearch =
      this.#version === undefined
        ? 'not-searched'
        : checkVersion(this.#version, { ...evidence, hit: texts.get(this.#version) }, findings);
    const [image, second] = this.#images;
    return {
      texts,
      certificates,
      versionSearch,
      image: inside.identity || !second ? image : undefined,
    };
  }

  /**
   * Reads the content once for what holds for every format, and lets the reader of its format
   * check the inside. @throws InspectionEnd when a limit is reached
   */
  async #inspect(piece: Piece): Promise<Inside> {
    const { name, format, path, around, findings, expectations } = piece;
    const reader = piece.described ? describedReader(piece.described) : readerOf(name, format);
    const isTooDeep = reader.holdsMembers === true && this.#budget.isTooDeep(around.length);
    if (isTooDeep)
      findings.add('archive.too-deep', `"${name}" stands in ${around.length} archives`);
    const { stream, read, search } =
      isTooDeep || piece.isPartial ? textsOnly : arranged(reader, piece);
    const script = /\.py$/i.test(name) ? new ScriptScan() : undefined;
    const kept = read && !piece.source ? new KeptContent(this.#pool) : undefined;
    const chunks = new WatchedChunks(piece.chunks, (chunk) => {
      this.#signal.throwIfAborted();
      script?.push(chunk);
      kept?.push(chunk);
      if (search === 'bytes') this.#content.push(chunk);
      if (search === 'compressed') this.#search.pushCompressed(chunk);
    });
    const reading = {
      name,
      format,
      around,
      expectations,
      findings,
      signal: this.#signal,
      budget: this.#budget,
      fileSizeBytes: this.#fileSizeBytes,
      onContent: this.#content.push,
      onMember: (member: Member) => this.#inspectMember(member, piece),
    };
    try {
      let inside = (await stream?.(chunks, reading)) ?? nothingKnown;
      await chunks.drain();
      tellScript(name, script, findings);
      const source = piece.source ?? kept?.source();
      if (read && source) inside = await read(source, reading);
      if (read && !source) findings.add('archive.member-too-large', `"${name}" is ${format}`);
      if (search === 'compressed' || inside.compressed) this.#isPartlyCompressed = true;
      this.#tellMeasure(piece, search === 'bytes');
      if (inside.identity) this.#images.push({ format, identity: inside.identity });
      return inside;
    } finally {
      kept?.free();
      this.#content.flush();
      this.#measure.endPiece();
      this.#search.endPiece(path);
    }
  }

  #tellMeasure(piece: Piece, asItStands: boolean): void {
    const { format, path, findings } = piece;
    this.#content.flush();
    const { entropy, blanks } = this.#measure.endPiece();
    if (path === undefined) this.#entropy ??= entropy;
    if (!isImage(piece)) return;
    if (asItStands && blanks.onlyValue !== null) {
      const rule = blanks.onlyValue === 0 ? 'file.all-00' : 'file.all-ff';
      findings.add(rule, `every byte is ${hexByte(blanks.onlyValue)}`, { offset: 0 });
    } else if (format !== 'elf') {
      // A linker aligns the segments of an ELF file.
      blanks.tell(findings.add);
    }
    if (format === 'unknown' && entropy?.kind === 'random') {
      const { bitsPerByte, chiSquare } = entropy;
      findings.add('content.random', `${bitsPerByte} bits per byte, chi-square ${chiSquare}`);
    }
  }

  #keepVersion(version: DescribedVersion, member: string | undefined): void {
    if (member === undefined) this.#memberVersions.push(version);
    else {
      const { detail, evidence, relation } = version;
      const told = { detail: `"${member}": ${detail}`, evidence: { ...evidence, member } };
      this.#memberVersions.push({ relation, ...told });
    }
  }

  async #inspectMember(member: Member, outer: Piece): Promise<string> {
    const { name, isPartial = false } = member;
    this.#budget.countMember();
    // What a compressed file holds stands where that file does.
    const inner = member.path ?? undefined;
    const path = outer.path === undefined ? inner : memberPath(outer.path, inner);
    const findings = inner === undefined ? outer.findings : outer.findings.within(inner);
    const content = new ByteStream(member.chunks);
    const head = await content.peek(sniffHeadBytes);
    const described = await describedMember(name, head, outer.expectations.formats, findings);
    const format = described?.name ?? (head.length === 0 ? 'empty' : sniff(head));
    const { memory, ...others } = outer.expectations;
    const inside = await this.#inspect({
      name,
      format,
      described,
      path,
      around: [...outer.around, outer.format],
      chunks: content.pieces(),
      findings,
      isPartial,
      // Archives of modules hold programs of other memories too.
      expectations: memory && others.component === 'mcu' ? { ...others, memory } : others,
    });
    if (inside.version !== undefined) this.#keepVersion(inside.version, path);
    return format;
  }
}

/** Whether content is to be an image: other files in archives may be blank or random. */
function isImage({ path, name }: Piece): boolean {
  return path === undefined || isRawName(name);
}

const textsOnly: FormatReader = { search: 'bytes' };

/** A reader that decodes the content in memory gets a member of an archive only once it is kept: it is no larger then. */
function arranged(reader: FormatReader, { source, path }: Piece): FormatReader {
  const { stream, search } = reader;
  if (!reader.decodesInMemory || stream === undefined || source || path === undefined)
    return reader;
  return {
    search,
    read: (kept, reading) => stream(readRange(kept, 0, kept.sizeBytes), reading),
  };
}

function tellScript(name: string, script: ScriptScan | undefined, findings: FindingList): void {
  if (script === undefined) return;
  const { notTextAt, conflictLine } = script.finish();
  if (notTextAt !== null) findings.add('script.not-text', `"${name}"`, { offset: notTextAt });
  if (conflictLine !== null) findings.add('script.conflict', `line ${conflictLine}`);
}
