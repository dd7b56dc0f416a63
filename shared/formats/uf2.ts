import type { ImageSegment } from '../domain/finding.ts';
import type { ByteSource } from './byte-source.ts';
import {
  type ContentHash,
  hexText,
  type ImageFacts,
  readRange,
  type StartHash,
  viewOf,
} from './image-facts.ts';
import { hexAddress, type Report } from './report.ts';
import { isFamilyOfChip, uf2FamilyName } from './uf2-families.ts';

const blockBytes = 512;
const dataOffset = 32;
const mostPayloadBytes = 476;
const firstMagic = 0x0a32_4655;
const secondMagic = 0x9e5d_5157;
const lastMagic = 0x0ab1_6f30;
const md5Offset = dataOffset + mostPayloadBytes - 24;
const flags = { notMainFlash: 1, fileContainer: 0x1000, family: 0x2000, md5: 0x4000 } as const;
/** Block that works around erratum RP2350-E10: it announces a second one that never comes. */
const absoluteFamily = 0xe48b_ff57;

interface Block {
  readonly offset: number;
  readonly flags: number;
  readonly address: number;
  readonly payload: Uint8Array;
  readonly number: number;
  readonly count: number;
  readonly family: number;
  readonly md5: Md5Field | null;
}

interface Md5Field {
  /** Where the field begins in the file. */
  readonly at: number;
  readonly start: number;
  readonly sizeBytes: number;
  readonly digest: string;
}

interface Run {
  readonly start: number;
  end: number;
  readonly offset: number;
}

/** Blocks of one family: their numbers run from 0 to one less than the count that each names. */
interface Family {
  readonly count: number;
  next: number;
  readonly runs: Run[];
}

/**
 * Reads a UF2 file: magics of every block, block numbers and count, payload sizes, addresses and
 * overlap for each family, and MD5 of the regions that carry one. `onData` gets the payloads.
 * Returns null after a blocking report. Source: USB Flashing Format (UF2) specification.
 */
export async function readUf2(
  source: ByteSource,
  report: Report,
  startHash: StartHash,
  onData: (bytes: Uint8Array) => void,
  wantedChip?: string,
): Promise<ImageFacts | null> {
  const lastBytes = source.sizeBytes % blockBytes;
  if (lastBytes !== 0) {
    report('uf2.truncated', 'the last block is not whole', {
      offset: source.sizeBytes - lastBytes,
      expected: `a multiple of ${blockBytes} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return null;
  }
  const reader = new Uf2Reader(report, startHash, onData);
  let offset = 0;
  for await (const bytes of readRange(source, 0, source.sizeBytes)) {
    for (let at = 0; at + blockBytes <= bytes.length; at += blockBytes) {
      if (!reader.push(bytes.subarray(at, at + blockBytes), offset + at)) return null;
    }
    offset += bytes.length;
  }
  return reader.finish(offset / blockBytes, wantedChip);
}

class Uf2Reader {
  readonly #report: Report;
  readonly #startHash: StartHash;
  readonly #onData: (bytes: Uint8Array) => void;
  readonly #families = new Map<number, Family>();
  #region: Md5Region | null = null;

  constructor(report: Report, startHash: StartHash, onData: (bytes: Uint8Array) => void) {
    this.#report = report;
    this.#startHash = startHash;
    this.#onData = onData;
  }

  /** Takes one block; false after a blocking report that makes the rest unreadable. */
  push(bytes: Uint8Array, offset: number): boolean {
    const block = readBlock(bytes, offset, this.#report);
    if (block === null) return false;
    if (block.family === absoluteFamily) return true;
    if (!this.#count(block)) return false;
    // File containers carry names and hold no flash content.
    if ((block.flags & (flags.notMainFlash | flags.fileContainer)) !== 0) return true;
    this.#place(block);
    this.#hash(block);
    this.#onData(block.payload);
    return true;
  }

  finish(blocks: number, wantedChip: string | undefined): ImageFacts | null {
    this.#closeRegion();
    let whole = true;
    const segments: ImageSegment[] = [];
    for (const [id, { count, next, runs }] of this.#families) {
      if (next !== count) {
        whole = false;
        this.#report('uf2.incomplete', `family ${hexAddress(id)}`, {
          expected: `${count} blocks`,
          found: `${next} blocks`,
        });
      }
      if (!this.#checkOverlap(runs)) whole = false;
      for (const { start, end } of runs) segments.push({ start, sizeBytes: end - start });
    }
    if (segments.length === 0) this.#report('uf2.no-data', 'no block goes to the main flash');
    if (!whole) return null;
    const ids = [...this.#families.keys()].map(describeFamily);
    this.#checkChip(wantedChip);
    return {
      summary: `UF2: ${blocks} blocks are whole and complete, family ${ids.join(', ')}`,
      segments: segments.sort((a, b) => a.start - b.start),
      compressed: false,
    };
  }

  /** A file may hold images for several chips: one of them must be the component's. */
  #checkChip(wantedChip: string | undefined): void {
    if (wantedChip === undefined) return;
    const ids = [...this.#families.keys()];
    const fits = ids.map((id) => isFamilyOfChip(id, wantedChip));
    if (fits.some((fit) => fit !== false)) return;
    this.#report('uf2.family-wrong', `it is for ${ids.map(describeFamily).join(', ')}`, {
      offset: 28,
      expected: wantedChip,
      found: ids.map(describeFamily).join(', '),
    });
  }

  #count(block: Block): boolean {
    const { number, count, offset, family: id } = block;
    const family = this.#families.get(id) ?? { count, next: 0, runs: [] };
    this.#families.set(id, family);
    if (count !== family.count || number >= count) {
      this.#report('uf2.count', `block ${number} of ${count}`, {
        offset: offset + 24,
        expected: `${family.count} blocks, numbered from 0`,
        found: `block ${number} of ${count}`,
      });
      return false;
    }
    if (number !== family.next) {
      this.#report('uf2.order', `block ${number} comes where ${family.next} is due`, {
        offset: offset + 20,
        expected: String(family.next),
        found: String(number),
      });
      return false;
    }
    family.next += 1;
    return true;
  }

  #place({ address, payload, offset, family }: Block): void {
    if (address % 4 !== 0) {
      this.#report('uf2.alignment', hexAddress(address), {
        offset: offset + 12,
        expected: 'a multiple of 4',
        found: hexAddress(address),
      });
    }
    const runs = this.#families.get(family)?.runs ?? [];
    const last = runs.at(-1);
    if (last?.end === address) last.end += payload.length;
    else if (payload.length > 0) {
      runs.push({ start: address, end: address + payload.length, offset });
    }
  }

  #checkOverlap(runs: Run[]): boolean {
    runs.sort((a, b) => a.start - b.start);
    let highest = 0;
    let separate = true;
    for (const { start, end, offset } of runs) {
      if (start < highest) {
        separate = false;
        this.#report('uf2.overlap', `again at ${hexAddress(start)}`, {
          offset: offset + 12,
          found: hexAddress(start),
        });
      }
      highest = Math.max(highest, end);
    }
    return separate;
  }

  #hash({ md5, address, payload }: Block): void {
    const region = this.#region;
    if (region !== null && (md5 === null || !region.isSame(md5))) this.#closeRegion();
    if (md5 === null) return;
    this.#region ??= new Md5Region(md5, this.#startHash('md5'));
    this.#region.push(address, payload);
  }

  #closeRegion(): void {
    this.#region?.finish(this.#report);
    this.#region = null;
  }
}

function describeFamily(id: number): string {
  const name = uf2FamilyName(id);
  if (name !== undefined) return `${hexAddress(id)} (${name})`;
  return id === 0 ? 'none' : hexAddress(id);
}

function readBlock(bytes: Uint8Array, offset: number, report: Report): Block | null {
  const view = viewOf(bytes);
  for (const [at, magic] of [
    [0, firstMagic],
    [4, secondMagic],
    [508, lastMagic],
  ] as const) {
    const found = view.getUint32(at, true);
    if (found === magic) continue;
    report('uf2.magic', `block at offset ${offset}`, {
      offset: offset + at,
      expected: hexAddress(magic),
      found: hexAddress(found),
    });
    return null;
  }
  const blockFlags = view.getUint32(8, true);
  const hasMd5 = (blockFlags & flags.md5) !== 0;
  const payloadBytes = view.getUint32(16, true);
  const limit = hasMd5 ? md5Offset - dataOffset : mostPayloadBytes;
  if (payloadBytes > limit) {
    report('uf2.payload', `block at offset ${offset}`, {
      offset: offset + 16,
      expected: `at most ${limit} bytes`,
      found: `${payloadBytes} bytes`,
    });
    return null;
  }
  return {
    offset,
    flags: blockFlags,
    address: view.getUint32(12, true),
    payload: bytes.subarray(dataOffset, dataOffset + payloadBytes),
    number: view.getUint32(20, true),
    count: view.getUint32(24, true),
    family: (blockFlags & flags.family) === 0 ? 0 : view.getUint32(28, true),
    md5: hasMd5 ? readMd5(bytes, offset, payloadBytes) : null,
  };
}

/**
 * The last 24 bytes of the data area: start, size and digest. esptool puts them right behind a
 * shorter payload instead, and leaves the place that the specification names empty.
 */
function readMd5(bytes: Uint8Array, offset: number, payloadBytes: number): Md5Field {
  const view = viewOf(bytes);
  const at = view.getUint32(md5Offset + 4, true) === 0 ? dataOffset + payloadBytes : md5Offset;
  return {
    at: offset + at,
    start: view.getUint32(at, true),
    sizeBytes: view.getUint32(at + 4, true),
    digest: hexText(bytes.subarray(at + 8, at + 24)),
  };
}

/** The MD5 of a stretch of flash, fed from blocks in ascending order. */
class Md5Region {
  readonly #field: Md5Field;
  readonly #hash: ContentHash;
  #next: number;
  #gap = false;

  constructor(field: Md5Field, hash: ContentHash) {
    this.#field = field;
    this.#hash = hash;
    this.#next = field.start;
  }

  isSame(other: Md5Field): boolean {
    const { start, sizeBytes, digest } = this.#field;
    return other.start === start && other.sizeBytes === sizeBytes && other.digest === digest;
  }

  push(address: number, payload: Uint8Array): void {
    if (address !== this.#next) this.#gap = true;
    const missing = this.#field.start + this.#field.sizeBytes - this.#next;
    if (missing > 0) this.#hash.update(payload.subarray(0, missing));
    this.#next = address + payload.length;
  }

  finish(report: Report): void {
    const { start, sizeBytes, digest, at: offset } = this.#field;
    if (this.#gap || this.#next < start + sizeBytes) {
      report('uf2.md5-not-checked', `${sizeBytes} bytes at ${hexAddress(start)}`, { offset });
      return;
    }
    const expected = hexText(this.#hash.digest());
    if (expected === digest) return;
    report('uf2.md5', `${sizeBytes} bytes at ${hexAddress(start)}`, {
      offset: offset + 8,
      expected,
      found: digest,
    });
  }
}
