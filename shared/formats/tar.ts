import { ByteStream } from './byte-stream.ts';
import { foldedName, unsafeNameReason } from './member-name.ts';
import type { Evidence, Report } from './report.ts';
import { readTarHeader, tarBlockBytes, type TarHeader } from './tar-header.ts';
import { changesMembers, noPaxRecords, paxNumber, paxPath, readPaxRecords } from './tar-pax.ts';
import { readSparseMap, sparseFault } from './tar-sparse.ts';
import { decodeName } from './text.ts';

const longestNameBytes = 64 * 1024;
const mostMembers = 100_000;
const mostNameBytes = 16 * 1024 * 1024;
/** Largest size that fits the eleven octal digits of the header. */
const largestOctalSize = 8 ** 11 - 1;
const linkTypes: Readonly<Record<string, string>> = {
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'character device',
  '4': 'block device',
  '6': 'FIFO',
};

/** A regular file in a tar. */
export interface TarMember {
  readonly name: string;
  readonly sizeBytes: number;
  /** The holes of a sparse file are not in `content`. */
  readonly isSparse: boolean;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Ends the walk after a fault that leaves no safe place to go on. */
class Stop extends Error {}

/**
 * Walks a tar, keeps nothing but names, and hands on each regular file; what the receiver leaves
 * of its content is skipped. Returns the number of members.
 * Source: POSIX.1-2008 pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual.
 */
export async function readTar(
  chunks: AsyncIterable<Uint8Array>,
  report: Report,
  onMember: (member: TarMember) => Promise<void>,
): Promise<number> {
  const walk = new TarWalk(new ByteStream(chunks), report, onMember);
  try {
    await walk.run();
    if (walk.members === 0) report('tar.no-members', 'no member');
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return walk.members;
}

class TarWalk {
  readonly #stream: ByteStream;
  readonly #report: Report;
  readonly #onMember: (member: TarMember) => Promise<void>;
  readonly #names = new Set<string>();
  #nameBytes = 0;
  /** What extended headers said about the member that comes next. */
  #longName: string | undefined;
  #pax = noPaxRecords;
  members = 0;

  constructor(stream: ByteStream, report: Report, onMember: (member: TarMember) => Promise<void>) {
    this.#stream = stream;
    this.#report = report;
    this.#onMember = onMember;
  }

  async run(): Promise<void> {
    for (let zeroBlocks = 0; ; ) {
      const offset = this.#stream.offset;
      const block = await this.#stream.take(tarBlockBytes);
      if (block.length === 0) {
        this.#report('tar.no-end', 'the two zero blocks at the end are missing', { offset });
        return;
      }
      if (block.length < tarBlockBytes) {
        const end = this.#stream.offset;
        this.#report('tar.truncated', 'the last header block is not whole', { offset: end });
        return;
      }
      if (block.every((byte) => byte === 0)) {
        zeroBlocks += 1;
        if (zeroBlocks === 2) return this.#readTrailer();
        continue;
      }
      if (zeroBlocks > 0) this.#stop('a zero block stands between members', { offset });
      const header = readTarHeader(block);
      if ('what' in header) {
        const { what, at, ...values } = header;
        this.#stop(what, { offset: offset + at, ...values });
      }
      await this.#readEntry(header, block, offset);
    }
  }

  async #readTrailer(): Promise<void> {
    for await (const bytes of this.#stream.pieces()) {
      const wrong = bytes.findIndex((byte) => byte !== 0);
      if (wrong < 0) continue;
      const offset = this.#stream.offset - bytes.length + wrong;
      this.#report('tar.trailing', 'bytes other than zero after the end mark', { offset });
      return;
    }
  }

  async #readEntry(header: TarHeader, block: Uint8Array, offset: number): Promise<void> {
    const { type, sizeBytes } = header;
    if (!'xgLK'.includes(type)) return this.#readMember(header, block, offset);
    if (sizeBytes > longestNameBytes) {
      this.#stop(`extended header of ${sizeBytes} bytes`, { offset });
    }
    const bytes = await this.#stream.take(sizeBytes);
    await this.#skip(sizeBytes - bytes.length, sizeBytes, 'extended header');
    if (type === 'L') this.#longName = decodeName(bytes).replace(/\0+$/, '');
    if (type !== 'x' && type !== 'g') return;
    const records = readPaxRecords(bytes);
    if (records === null) this.#stop('broken pax record', { offset });
    if (type === 'x') this.#pax = records;
    else if (changesMembers(records)) {
      this.#stop('a global header renames or resizes every member', { offset });
    }
  }

  async #readMember(header: TarHeader, block: Uint8Array, offset: number): Promise<void> {
    const [pax, longName] = [this.#pax, this.#longName];
    this.#pax = noPaxRecords;
    this.#longName = undefined;
    const { type } = header;
    const name = paxPath(pax) ?? longName ?? header.path;
    const evidence = { offset, member: name };
    this.#checkName(name, type, offset);
    const link = linkTypes[type];
    if (link !== undefined) {
      const target = pax.values.get('linkpath') ?? header.linkTarget;
      const where = target === '' ? '' : ` to "${target}"`;
      this.#report('tar.link', `"${name}" is a ${link}${where}`, evidence);
    }
    // Links, devices, folders and labels have no data, whatever their size says.
    if (link !== undefined || type === '5' || type === 'V') return;
    if (!'07S'.includes(type)) this.#stop(`"${name}" is of the unknown type "${type}"`, evidence);

    const paxSize = paxNumber(pax, 'size');
    if (paxSize === null) this.#stop(`"${name}": the pax size is no number`, evidence);
    const sizeBytes = paxSize ?? header.sizeBytes;
    if (header.sizeBytes !== sizeBytes && sizeBytes <= largestOctalSize) {
      this.#report('tar.header-mismatch', `"${name}": the pax size differs from the header`, {
        ...evidence,
        expected: String(header.sizeBytes),
        found: String(sizeBytes),
      });
    }
    const map = await readSparseMap(this.#stream, type, block, pax, sizeBytes);
    const mapBytes = map?.mapBytes ?? 0;
    const dataBytes = sizeBytes - mapBytes;
    if (map !== undefined) {
      const fault = map === null ? 'it cannot be read' : sparseFault(map, dataBytes);
      if (fault === null) this.#report('tar.sparse', `"${name}" has holes`, evidence);
      else this.#report('tar.sparse-map', `"${name}": ${fault}`, evidence);
    }
    const start = this.#stream.offset;
    const content = this.#stream.pieces(dataBytes);
    await this.#onMember({ name, sizeBytes: dataBytes, isSparse: map !== undefined, content });
    await this.#skip(dataBytes - (this.#stream.offset - start), sizeBytes, name);
  }

  #checkName(name: string, type: string, offset: number): void {
    const evidence = { offset, member: name };
    this.members += 1;
    this.#nameBytes += name.length;
    if (this.members > mostMembers || this.#nameBytes > mostNameBytes) {
      const over =
        this.members > mostMembers ? `${mostMembers} members` : `${mostNameBytes} bytes of names`;
      this.#report('archive.limit', `tar: over ${over}`, { offset });
      throw new Stop();
    }
    const unsafe = unsafeNameReason(name);
    if (unsafe !== null) this.#report('tar.unsafe-name', `"${name}": ${unsafe}`, evidence);
    const folded = foldedName(name);
    if (type !== '5' && this.#names.has(folded)) {
      this.#report('tar.duplicate', `"${name}" appears again`, evidence);
    }
    this.#names.add(folded);
  }

  /** Skips what is left of a member's data, and the padding after all of it. */
  async #skip(leftBytes: number, sizeBytes: number, name: string): Promise<void> {
    const paddingBytes = (tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes;
    let skipped = 0;
    for await (const bytes of this.#stream.pieces(leftBytes + paddingBytes)) {
      skipped += bytes.length;
    }
    if (skipped >= leftBytes) return;
    this.#report('tar.truncated', `"${name}" needs ${leftBytes - skipped} more bytes`, {
      offset: this.#stream.offset,
      member: name,
    });
    throw new Stop();
  }

  #stop(what: string, evidence: Evidence): never {
    this.#report('tar.damaged', what, evidence);
    throw new Stop();
  }
}
