import { foldedName, unsafeNameReason } from './member-name.ts';
import type { Report } from './report.ts';
import { decodeName } from './text.ts';

const blockBytes = 512;
const longestNameBytes = 64 * 1024;
const mostMembers = 100_000;
const linkTypes: Readonly<Record<string, string>> = {
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'character device',
  '4': 'block device',
  '6': 'FIFO',
};

type State = 'header' | 'data' | 'end' | 'stopped';

/**
 * Walks a tar from chunks of any size and keeps nothing but names.
 * Source: POSIX.1-2008 pax "ustar Interchange Format" and "pax Header Block".
 */
export class TarReader {
  readonly #report: Report;
  readonly #onData: ((bytes: Uint8Array) => void) | undefined;
  readonly #onMemberEnd: ((name: string) => void) | undefined;
  readonly #header = new Uint8Array(blockBytes);
  readonly #names = new Set<string>();
  #filled = 0;
  #state: State = 'header';
  #offset = 0;
  #zeroBlocks = 0;
  /** Rest of the member's data, then of its padding to a whole block. */
  #dataLeft = 0;
  #paddingLeft = 0;
  #member = '';
  #meta: { readonly type: string; readonly bytes: Uint8Array; filled: number } | undefined;
  #nextName: string | undefined;
  #nextSizeBytes: number | undefined;
  #members = 0;

  /** `onData` receives the content of the members in file order, each closed by `onMemberEnd`. */
  constructor(
    report: Report,
    onData?: (bytes: Uint8Array) => void,
    onMemberEnd?: (name: string) => void,
  ) {
    this.#report = report;
    this.#onData = onData;
    this.#onMemberEnd = onMemberEnd;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#state !== 'stopped') {
      if (this.#state === 'data') at += this.#takeData(chunk.subarray(at));
      else if (this.#state === 'end') at += this.#takeTrailer(chunk.subarray(at));
      else {
        const part = chunk.subarray(at, at + blockBytes - this.#filled);
        this.#header.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
        this.#offset += part.length;
        if (this.#filled === blockBytes) {
          this.#filled = 0;
          this.#takeHeader(this.#offset - blockBytes);
        }
      }
    }
  }

  /** Tells what the end shows and returns the number of members. */
  finish(): number {
    if (this.#state === 'data') {
      this.#report('tar.truncated', `"${this.#member}" needs ${this.#dataLeft} more bytes`, {
        offset: this.#offset,
        member: this.#member,
      });
    } else if (this.#state === 'header' && this.#filled > 0) {
      this.#report('tar.truncated', 'the last header block is not whole', { offset: this.#offset });
    } else if (this.#state === 'header') {
      this.#report('tar.no-end', 'the two zero blocks at the end are missing', {
        offset: this.#offset,
      });
    }
    if (this.#members === 0 && this.#state !== 'stopped')
      this.#report('tar.no-members', 'no member');
    return this.#members;
  }

  #takeData(chunk: Uint8Array): number {
    const data = chunk.subarray(0, this.#dataLeft);
    if (data.length > 0) {
      this.#dataLeft -= data.length;
      if (this.#meta === undefined) {
        this.#onData?.(data);
        if (this.#dataLeft === 0) this.#onMemberEnd?.(this.#member);
      } else {
        this.#meta.bytes.set(data, this.#meta.filled);
        this.#meta.filled += data.length;
      }
    }
    const padding = Math.min(chunk.length - data.length, this.#paddingLeft);
    this.#paddingLeft -= padding;
    this.#offset += data.length + padding;
    if (this.#dataLeft === 0 && this.#paddingLeft === 0) {
      this.#state = 'header';
      this.#finishMeta();
    }
    return data.length + padding;
  }

  #takeTrailer(chunk: Uint8Array): number {
    const wrong = chunk.findIndex((byte) => byte !== 0);
    if (wrong >= 0) {
      this.#report('tar.trailing', 'bytes other than zero after the end mark', {
        offset: this.#offset + wrong,
      });
      this.#state = 'stopped';
    }
    this.#offset += chunk.length;
    return chunk.length;
  }

  #takeHeader(offset: number): void {
    const header = this.#header;
    if (header.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'end';
      return;
    }
    if (this.#zeroBlocks > 0) return this.#stop('a zero block stands between members', offset);
    let sum = 8 * 0x20;
    for (let index = 0; index < blockBytes; index += 1) {
      if (index < 148 || index >= 156) sum += header[index] ?? 0;
    }
    const stored = this.#number(148, 8);
    if (stored !== sum) {
      this.#stop('header checksum', offset, {
        expected: sum.toString(8),
        found: stored === null ? 'no number' : stored.toString(8),
      });
      return;
    }
    const type = String.fromCharCode(header[156] || 0x30);
    const size = this.#number(124, 12);
    if (size === null) return this.#stop('the size field is no number', offset + 124);
    if ('xgLK'.includes(type)) return this.#beginMeta(type, size, offset);
    this.#beginMember(type, this.#nextSizeBytes ?? size, offset);
  }

  #beginMember(type: string, size: number, offset: number): void {
    const ustar = this.#text(257, 5) === 'ustar' && this.#header[262] === 0;
    const prefix = ustar ? this.#text(345, 155) : '';
    const own = this.#text(0, 100);
    const name = this.#nextName ?? (prefix === '' ? own : `${prefix}/${own}`);
    this.#nextName = undefined;
    this.#nextSizeBytes = undefined;
    this.#member = name;
    this.#members += 1;
    if (this.#members > mostMembers) return this.#stop(`over ${mostMembers} members`, offset);
    const unsafe = unsafeNameReason(name);
    const evidence = { offset, member: name };
    if (unsafe !== null) this.#report('tar.unsafe-name', `"${name}": ${unsafe}`, evidence);
    const link = linkTypes[type];
    if (link !== undefined) {
      const target = this.#text(157, 100);
      this.#report(
        'tar.link',
        `"${name}" is a ${link}${target ? ` to "${target}"` : ''}`,
        evidence,
      );
    }
    const folded = foldedName(name);
    if (type !== '5' && this.#names.has(folded)) {
      this.#report('tar.duplicate', `"${name}" appears again`, evidence);
    }
    this.#names.add(folded);
    this.#beginData(link !== undefined || type === '5' ? 0 : size);
  }

  #beginMeta(type: string, size: number, offset: number): void {
    if (size > longestNameBytes) return this.#stop(`extended header of ${size} bytes`, offset);
    this.#meta = { type, bytes: new Uint8Array(size), filled: 0 };
    this.#member = 'extended header';
    this.#beginData(size);
    if (size === 0) this.#finishMeta();
  }

  #beginData(size: number): void {
    this.#dataLeft = size;
    this.#paddingLeft = (blockBytes - (size % blockBytes)) % blockBytes;
    this.#state = size === 0 ? 'header' : 'data';
  }

  #finishMeta(): void {
    const meta = this.#meta;
    if (meta === undefined) return;
    this.#meta = undefined;
    if (meta.type === 'L') this.#nextName = decodeName(meta.bytes).replace(/\0+$/, '');
    if (meta.type === 'x') this.#readPax(meta.bytes);
  }

  #readPax(bytes: Uint8Array): void {
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    for (let at = 0; at < text.length; ) {
      const length = Number.parseInt(text.slice(at, at + 8), 10);
      const record = /^\d+ ([^=]+)=([^]*)\n$/.exec(text.slice(at, at + (length || 0)));
      if (record === null) return this.#stop('broken pax record', this.#offset);
      if (record[1] === 'path') {
        const value = Uint8Array.from(record[2] ?? '', (letter) => letter.charCodeAt(0));
        this.#nextName = decodeName(value);
      }
      if (record[1] === 'size') {
        const size = Number(record[2]);
        if (!Number.isSafeInteger(size) || size < 0) return this.#stop('pax size', this.#offset);
        this.#nextSizeBytes = size;
      }
      at += length;
    }
  }

  #stop(what: string, offset: number, evidence: { expected?: string; found?: string } = {}): void {
    this.#report('tar.damaged', what, { offset, ...evidence });
    this.#state = 'stopped';
  }

  #text(from: number, length: number): string {
    const field = this.#header.subarray(from, from + length);
    const end = field.indexOf(0);
    return decodeName(end < 0 ? field : field.subarray(0, end));
  }

  /** An octal field, or the base-256 form of GNU tar; null when it is neither. */
  #number(from: number, length: number): number | null {
    const first = this.#header[from] ?? 0;
    if (first === 0x80) {
      let value = 0;
      for (let index = from + 1; index < from + length; index += 1) {
        value = value * 256 + (this.#header[index] ?? 0);
      }
      return Number.isSafeInteger(value) ? value : null;
    }
    const text = this.#text(from, length).trim();
    return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : null;
  }
}
