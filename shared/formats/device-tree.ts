import type { ByteSource } from './byte-source.ts';
import { fieldText, viewOf } from './image-facts.ts';
import type { Report } from './report.ts';

const headerBytes = 40;
const supportedVersion = 16;
const deepest = 64;
const mostTokens = 1_000_000;
const mostKeptValues = 20_000;
const longestKeptBytes = 4096;
const longestNameBytes = 256;
const windowBytes = 64 * 1024;
/** The largest boards have some 20 KB of property names. */
const longestStringsBytes = 1024 * 1024;
const reservationBytes = 16;
const mostReservations = 4096;

/** Devicetree Specification v0.4, 2.2.1 and 2.2.4; "*" as dtc takes it. */
const nodeNameCharacters = /^[0-9a-zA-Z,._+@-]*$/;
const propertyNameCharacters = /^[0-9a-zA-Z,._+*#?-]+$/;

const tokens = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;

/** A property: where its value lies, and the value itself when it is short and its node is kept. */
export interface TreeProperty {
  readonly path: string;
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly value: Uint8Array;
}

export interface DeviceTree {
  readonly totalBytes: number;
  readonly nodes: number;
  /** Properties of the nodes whose path the caller keeps, in the order of the file. */
  readonly properties: readonly TreeProperty[];
}

interface Header {
  readonly totalBytes: number;
  readonly reservationsAt: number;
  readonly structureAt: number;
  readonly structureEnd: number;
  readonly stringsAt: number;
  readonly stringsEnd: number;
}

/**
 * Walks a flattened device tree (DTB or FIT) through a window of 64 KiB: header, offsets inside the
 * file, and every token of the structure block. Returns null after a blocking report.
 * Source: Devicetree Specification v0.4, chapter 5.
 */
export async function readDeviceTree(
  source: ByteSource,
  report: Report,
  keep: (path: string) => boolean,
): Promise<DeviceTree | null> {
  const header = await readHeader(source, report);
  if (header === null || !(await checkReservations(source, header, report))) return null;
  const { stringsAt, stringsEnd } = header;
  const strings = await source.read(
    stringsAt,
    Math.min(longestStringsBytes, stringsEnd - stringsAt),
  );
  return new TreeWalker(source, header, strings, report, keep).walk();
}

/** The list of reserved memory ends with an entry of zeros before the end of the tree. */
async function checkReservations(
  source: ByteSource,
  { reservationsAt, totalBytes }: Header,
  report: Report,
): Promise<boolean> {
  const most = Math.min(totalBytes - reservationsAt, mostReservations * reservationBytes);
  const list = await source.read(reservationsAt, most);
  for (let at = 0; at + reservationBytes <= list.length; at += reservationBytes) {
    if (list.subarray(at, at + reservationBytes).every((byte) => byte === 0)) return true;
  }
  const detail = 'the list of reserved memory has no end';
  report('fit.damaged', detail, { offset: reservationsAt });
  return false;
}

async function readHeader(source: ByteSource, report: Report): Promise<Header | null> {
  const bytes = await source.read(0, headerBytes);
  if (bytes.length < headerBytes) {
    report('fit.truncated', 'the header is not whole', { offset: bytes.length });
    return null;
  }
  const view = viewOf(bytes);
  const word = (index: number) => view.getUint32(index * 4);
  const [totalBytes, structureAt, stringsAt] = [word(1), word(2), word(3)];
  if (totalBytes > source.sizeBytes) {
    report('fit.truncated', 'the tree reaches beyond the end', {
      offset: 4,
      expected: `${totalBytes} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return null;
  }
  const version = word(5);
  const header: Header = {
    totalBytes,
    reservationsAt: word(4),
    structureAt,
    stringsAt,
    stringsEnd: stringsAt + word(8),
    // Version 16 has no field for the size of the structure block.
    structureEnd: version >= 17 ? structureAt + word(9) : totalBytes,
  };
  const fits =
    structureAt >= headerBytes - 4 &&
    structureAt % 4 === 0 &&
    header.structureEnd <= totalBytes &&
    header.stringsEnd <= totalBytes &&
    word(4) <= totalBytes;
  if (fits && version >= supportedVersion && word(6) <= 17) return header;
  report('fit.damaged', fits ? `version ${version}` : 'a block of the tree lies outside of it', {
    offset: 8,
    found: `structure ${structureAt}, strings ${stringsAt}, version ${version}`,
  });
  return null;
}

class TreeWalker {
  readonly #source: ByteSource;
  readonly #header: Header;
  readonly #strings: Uint8Array;
  /** Places of property names that are in order. */
  readonly #names = new Map<number, string>();
  readonly #report: Report;
  readonly #keep: (path: string) => boolean;
  readonly #properties: TreeProperty[] = [];
  #window = new Uint8Array(0);
  #windowAt = 0;

  constructor(
    source: ByteSource,
    header: Header,
    strings: Uint8Array,
    report: Report,
    keep: (path: string) => boolean,
  ) {
    this.#source = source;
    this.#header = header;
    this.#strings = strings;
    this.#report = report;
    this.#keep = keep;
  }

  async walk(): Promise<DeviceTree | null> {
    const { structureAt, structureEnd, totalBytes } = this.#header;
    const path: string[] = [];
    let nodes = 0;
    let offset = structureAt;
    for (let count = 0; offset + 4 <= structureEnd; count += 1) {
      if (count > mostTokens) return this.#damaged(offset, `over ${mostTokens} tokens`);
      const token = viewOf(await this.#bytes(offset, 4)).getUint32(0);
      if (token === tokens.nop) offset += 4;
      else if (token === tokens.beginNode) {
        const name = await this.#name(offset + 4);
        if (name === null || path.length >= deepest || (path.length === 0 && nodes > 0)) {
          return this.#damaged(offset, 'a node without end, too deep or beside the root');
        }
        if (!nodeNameCharacters.test(name)) {
          return this.#damaged(offset + 4, `no node can have the name "${name}"`);
        }
        path.push(name);
        nodes += 1;
        offset += 4 + aligned(name.length + 1);
      } else if (token === tokens.endNode && path.length > 0) {
        path.pop();
        offset += 4;
      } else if (token === tokens.property && path.length > 0) {
        const next = await this.#property(offset, `/${path.slice(1).join('/')}`);
        if (next === null) return null;
        offset = next;
      } else if (token === tokens.end && path.length === 0 && nodes > 0) {
        return { totalBytes, nodes, properties: this.#properties };
      } else return this.#damaged(offset, `token ${token}`);
    }
    return this.#damaged(offset, 'the structure block has no end');
  }

  async #property(offset: number, path: string): Promise<number | null> {
    const { structureEnd, stringsAt, stringsEnd } = this.#header;
    const head = await this.#bytes(offset + 4, 8);
    const view = viewOf(head);
    const sizeBytes = head.length === 8 ? view.getUint32(0) : Number.POSITIVE_INFINITY;
    const valueAt = offset + 12;
    if (valueAt + sizeBytes > structureEnd) {
      return this.#damaged(offset, 'a property reaches beyond the structure block');
    }
    const nameAt = view.getUint32(4);
    if (stringsAt + nameAt >= stringsEnd) {
      return this.#damaged(offset + 8, 'the name of a property lies outside the strings');
    }
    const name = this.#propertyName(nameAt);
    if (name === null) return this.#damaged(stringsAt + nameAt, 'the name of a property is none');
    if (this.#keep(path)) {
      if (this.#properties.length >= mostKeptValues) {
        return this.#damaged(offset, `over ${mostKeptValues} properties of images`);
      }
      const value = await this.#source.read(valueAt, Math.min(sizeBytes, longestKeptBytes));
      // A copy: the caller keeps it while the window moves on.
      this.#properties.push({ path, name, offset: valueAt, sizeBytes, value: value.slice() });
    }
    return valueAt + aligned(sizeBytes);
  }

  /** The name of a property, or null when it has no end or a character that none can have. */
  #propertyName(at: number): string | null {
    const known = this.#names.get(at);
    if (known !== undefined) return known;
    const bytes = this.#strings.subarray(at, at + longestNameBytes);
    const name = fieldText(bytes);
    if (!bytes.includes(0) || !propertyNameCharacters.test(name)) return null;
    this.#names.set(at, name);
    return name;
  }

  /** A node's name up to its NUL, or null when it has none within reason. */
  async #name(offset: number): Promise<string | null> {
    const bytes = await this.#bytes(offset, longestNameBytes);
    const end = bytes.indexOf(0);
    return end < 0 ? null : fieldText(bytes.subarray(0, end));
  }

  async #bytes(offset: number, length: number): Promise<Uint8Array> {
    const at = offset - this.#windowAt;
    if (at < 0 || at + length > this.#window.length) {
      const most = Math.max(0, this.#header.structureEnd - offset);
      this.#window = Uint8Array.from(await this.#source.read(offset, Math.min(windowBytes, most)));
      this.#windowAt = offset;
    }
    const from = offset - this.#windowAt;
    return this.#window.subarray(from, from + length);
  }

  #damaged(offset: number, detail: string): null {
    this.#report('fit.damaged', detail, { offset });
    return null;
  }
}

function aligned(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}
