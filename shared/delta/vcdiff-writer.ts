import { GrowingBytes } from '../formats/growing-bytes.ts';
import type { Operation } from './operations.ts';
import {
  AddressCache,
  codeTable,
  firstNearMode,
  firstSameMode,
  fromSource,
  hereMode,
  type InstructionKind,
  nearCount,
  numberBytes,
  selfMode,
  vcdiffMagic,
} from './vcdiff-format.ts';
import { type Instruction, InstructionParser } from './vcdiff-parser.ts';

/**
 * Writes a VCDIFF patch with the default code table and no secondary compression (RFC 3284). Each window copies from
 * the whole source and from itself; a decoder holds one window in memory.
 */
export function writeVcdiff(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
  windowBytes: number,
  onProgress: (done: number) => void = () => undefined,
): Uint8Array {
  const out = new GrowingBytes(target.length >> 2);
  for (const byte of vcdiffMagic) out.byte(byte);
  const plainHeader = 0;
  out.byte(plainHeader);
  const parser = new InstructionParser(source, target, operations);
  for (let start = 0; start < target.length; start += windowBytes) {
    const end = Math.min(target.length, start + windowBytes);
    const window = new WindowWriter(source.length, target, start);
    parser.window(start, end, window.cache, (instruction) => window.add(instruction));
    window.writeTo(out, end - start);
    onProgress(end);
  }
  return out.view();
}

interface Waiting {
  readonly kind: InstructionKind;
  readonly size: number;
  readonly mode: number;
}

class WindowWriter {
  readonly cache = new AddressCache();
  readonly #sourceBytes: number;
  readonly #target: Uint8Array;
  readonly #start: number;
  readonly #data = new GrowingBytes();
  readonly #codes = new GrowingBytes();
  readonly #addresses = new GrowingBytes();
  /** An instruction that may become one code with the next. */
  #waiting: Waiting | null = null;
  #copyEnd = 0;

  constructor(sourceBytes: number, target: Uint8Array, start: number) {
    this.#sourceBytes = sourceBytes;
    this.#target = target;
    this.#start = start;
  }

  add({ kind, targetStart, sizeBytes, address }: Instruction): void {
    const dataBytes = kind === 'copy' ? 0 : kind === 'run' ? 1 : sizeBytes;
    this.#data.push(this.#target.subarray(targetStart, targetStart + dataBytes));
    if (this.#extend(kind, sizeBytes, address)) return;
    const here = this.#sourceBytes + targetStart - this.#start;
    const mode = kind === 'copy' ? this.#writeAddress(address, here) : 0;
    this.#writeCode({ kind, size: sizeBytes, mode });
    this.#copyEnd = address + sizeBytes;
  }

  /** Where one stretch of the search ends and the next begins, one instruction may go on. */
  #extend(kind: InstructionKind, sizeBytes: number, address: number): boolean {
    const waiting = this.#waiting;
    if (waiting?.kind !== kind || kind === 'run') return false;
    if (kind === 'copy' && address !== this.#copyEnd) return false;
    this.#waiting = { ...waiting, size: waiting.size + sizeBytes };
    this.#copyEnd += sizeBytes;
    return true;
  }

  writeTo(out: GrowingBytes, targetBytes: number): void {
    this.#flush();
    const sections = [this.#data.view(), this.#codes.view(), this.#addresses.view()];
    const hasSource = this.#sourceBytes > 0;
    out.byte(hasSource ? fromSource : 0);
    if (hasSource) {
      writeNumber(out, this.#sourceBytes);
      writeNumber(out, 0);
    }
    const sizes = sections.map((section) => section.length);
    const plainSections = 0;
    const lengthBytes = [targetBytes, ...sizes].reduce((sum, size) => sum + numberBytes(size), 1);
    writeNumber(out, lengthBytes + sizes.reduce((sum, size) => sum + size, 0));
    writeNumber(out, targetBytes);
    out.byte(plainSections);
    for (const size of sizes) writeNumber(out, size);
    for (const section of sections) out.push(section);
  }

  /** Writes an address in the shortest way; of equal ones the lower mode has more codes. */
  #writeAddress(address: number, here: number): number {
    const { cache } = this;
    let mode = selfMode;
    let value = address;
    if (numberBytes(here - address) < numberBytes(value)) {
      mode = hereMode;
      value = here - address;
    }
    for (let i = 0; i < nearCount; i++) {
      const distance = address - cache.near[i]!;
      if (distance < 0 || numberBytes(distance) >= numberBytes(value)) continue;
      mode = firstNearMode + i;
      value = distance;
    }
    const slot = cache.sameSlot(address);
    if (slot >= 0 && numberBytes(value) > 1) {
      mode = firstSameMode + (slot >> 8);
      this.#addresses.byte(slot & 0xff);
    } else writeNumber(this.#addresses, value);
    cache.update(address);
    return mode;
  }

  #writeCode(next: Waiting): void {
    const waiting = this.#waiting;
    const code = waiting && doubleCodes.get(doubleKey(waiting, next));
    if (code !== undefined && code !== null) {
      this.#codes.byte(code);
      this.#waiting = null;
      return;
    }
    this.#flush();
    this.#waiting = next;
  }

  #flush(): void {
    if (!this.#waiting) return;
    const { kind, size, mode } = this.#waiting;
    this.#waiting = null;
    const whole = singleCodes.get(`${kind} ${size} ${mode}`);
    if (whole !== undefined && size > 0) {
      this.#codes.byte(whole);
      return;
    }
    this.#codes.byte(singleCodes.get(`${kind} 0 ${mode}`)!);
    writeNumber(this.#codes, size);
  }
}

const singleCodes = new Map<string, number>();
const doubleCodes = new Map<string, number>();
for (const [code, [first, second]] of codeTable.entries()) {
  if (second) doubleCodes.set(doubleKey(first, second), code);
  else singleCodes.set(`${first.kind} ${first.size} ${first.mode}`, code);
}

function doubleKey(first: Waiting, second: Waiting): string {
  return `${first.kind} ${first.size} ${first.mode} ${second.kind} ${second.size} ${second.mode}`;
}

function writeNumber(out: GrowingBytes, value: number): void {
  for (let shift = (numberBytes(value) - 1) * 7; shift > 0; shift -= 7)
    out.byte(0x80 | (Math.floor(value / 2 ** shift) & 0x7f));
  out.byte(value & 0x7f);
}
