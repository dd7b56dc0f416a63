import { DecoderMemory } from './decoder-memory.ts';
import { checkTargetSize, corruptPatch, unsupportedPatch, wrongSource } from './patch-problems.ts';
import {
  AddressCache,
  addressCacheBytes,
  adler32Present,
  applicationHeader,
  codeTable,
  firstNearMode,
  firstSameMode,
  fromSource,
  fromTarget,
  hereMode,
  type InstructionKind,
  ownCodeTable,
  secondaryCompressor,
  selfMode,
  vcdiffMagic,
} from './vcdiff-format.ts';

/** Largest window that is rebuilt: it lies in memory as a whole, here as on a device. */
const mostWindowBytes = 64 * 1024 * 1024;

/** One window of a VCDIFF patch; sizes and offsets in bytes. */
export interface VcdiffWindow {
  readonly offset: number;
  readonly sourceStart: number;
  readonly sourceBytes: number;
  readonly targetBytes: number;
  readonly sections: {
    readonly data: Uint8Array;
    readonly instructions: Uint8Array;
    readonly addresses: Uint8Array;
  };
  readonly adler32: number | null;
}

/** One instruction; an address counts from the start of the source segment, behind which the window lies. */
export interface VcdiffInstruction {
  readonly kind: InstructionKind;
  readonly sizeBytes: number;
  readonly address: number;
  /** What is added, or the one byte of a run. */
  readonly data: Uint8Array;
}

export function isVcdiff(patch: Uint8Array): boolean {
  return vcdiffMagic.every((byte, index) => patch[index] === byte);
}

/** The windows of a VCDIFF patch. @throws ProblemError `patch-corrupt` | `patch-unsupported` */
export function* readVcdiffWindows(patch: Uint8Array): Generator<VcdiffWindow> {
  const reader = new NumberReader(patch, 0, vcdiffMagic.length);
  const indicator = reader.byte();
  if (indicator & secondaryCompressor)
    throw unsupportedPatch('A VCDIFF patch with secondary compression');
  if (indicator & ownCodeTable) throw unsupportedPatch('A VCDIFF patch with its own code table');
  if (indicator & applicationHeader) reader.bytes(reader.number());
  let targetSize = 0;
  while (reader.left > 0) {
    const window = readWindow(reader);
    targetSize += window.targetBytes;
    checkTargetSize(targetSize, window.offset);
    yield window;
  }
}

function readWindow(reader: NumberReader): VcdiffWindow {
  const offset = reader.offset;
  const indicator = reader.byte();
  if (indicator & fromTarget)
    throw unsupportedPatch('A VCDIFF patch that copies from windows before');
  const hasSource = (indicator & fromSource) !== 0;
  const sourceBytes = hasSource ? reader.number() : 0;
  const sourceStart = hasSource ? reader.number() : 0;
  const encodingBytes = reader.number();
  const encodingStart = reader.offset;
  const targetBytes = reader.number();
  if (targetBytes > mostWindowBytes)
    throw corruptPatch(offset, `a window of ${targetBytes} bytes is absurd`);
  if (reader.byte() !== 0) throw unsupportedPatch('A VCDIFF window with secondary compression');
  const dataBytes = reader.number();
  const instructionBytes = reader.number();
  const addressBytes = reader.number();
  const adler = indicator & adler32Present ? reader.bytes(4) : null;
  const sections = {
    data: reader.bytes(dataBytes),
    instructions: reader.bytes(instructionBytes),
    addresses: reader.bytes(addressBytes),
  };
  if (reader.offset !== encodingStart + encodingBytes)
    throw corruptPatch(offset, 'the sections of a window do not fit its length');
  return {
    offset,
    sourceStart,
    sourceBytes,
    targetBytes,
    sections,
    adler32: adler ? new DataView(adler.buffer, adler.byteOffset).getUint32(0) : null,
  };
}

/** The instructions of a window; they fill it exactly. @throws ProblemError `patch-corrupt` */
export function* readInstructions(window: VcdiffWindow): Generator<VcdiffInstruction> {
  const { offset, sections, sourceBytes, targetBytes } = window;
  const instructions = new NumberReader(sections.instructions, offset);
  const data = new NumberReader(sections.data, offset);
  const addresses = new NumberReader(sections.addresses, offset);
  const cache = new AddressCache();
  const none: Uint8Array = new Uint8Array(0);
  let done = 0;
  while (instructions.left > 0) {
    for (const half of codeTable[instructions.byte()]!) {
      const sizeBytes = half.size === 0 ? instructions.number() : half.size;
      if (sizeBytes > targetBytes - done)
        throw corruptPatch(offset, `an instruction of ${sizeBytes} bytes does not fit its window`);
      let address = 0;
      let bytes = none;
      if (half.kind === 'copy') {
        address = readAddress(addresses, half.mode, cache, sourceBytes + done);
        if (address < 0 || address >= sourceBytes + done)
          throw corruptPatch(offset, `a copy from address ${address} reads what is not there`);
        cache.update(address);
      } else bytes = data.bytes(half.kind === 'run' ? 1 : sizeBytes);
      yield { kind: half.kind, sizeBytes, address, data: bytes };
      done += sizeBytes;
    }
  }
  if (done < targetBytes) throw corruptPatch(offset, 'the instructions of a window end too early');
  if (data.left > 0 || addresses.left > 0)
    throw corruptPatch(offset, 'a window holds more than its instructions use');
}

function readAddress(
  addresses: NumberReader,
  mode: number,
  cache: AddressCache,
  here: number,
): number {
  if (mode === selfMode) return addresses.number();
  if (mode === hereMode) return here - addresses.number();
  if (mode < firstSameMode) return cache.near[mode - firstNearMode]! + addresses.number();
  return cache.same[(mode - firstSameMode) * 256 + addresses.byte()]!;
}

/**
 * Rebuilds the target window by window; the memory of a window is used again for the next one.
 * @throws ProblemError `patch-corrupt` | `patch-source` | `patch-unsupported` | `delta-ram`
 */
export function* readVcdiff(
  source: Uint8Array,
  patch: Uint8Array,
  memory = new DecoderMemory(),
): Generator<Uint8Array> {
  let largestBytes = 0;
  let largestSectionsBytes = 0;
  for (const { targetBytes, sections } of readVcdiffWindows(patch)) {
    largestBytes = Math.max(largestBytes, targetBytes);
    largestSectionsBytes = Math.max(largestSectionsBytes, sectionsBytes(sections));
  }
  // A device receives the sections one after the other, but needs all three at once.
  memory.take(addressCacheBytes + largestBytes + largestSectionsBytes);
  const room = new Uint8Array(largestBytes);
  for (const window of readVcdiffWindows(patch)) {
    const { sourceStart, sourceBytes } = window;
    if (sourceStart + sourceBytes > source.length)
      throw wrongSource(
        `It reads ${sourceBytes} bytes from offset ${sourceStart} of a source of ${source.length} bytes`,
      );
    const segment = source.subarray(sourceStart, sourceStart + sourceBytes);
    let filled = 0;
    for (const { kind, sizeBytes, address, data } of readInstructions(window)) {
      if (kind === 'add') room.set(data, filled);
      else if (kind === 'run') room.fill(data[0]!, filled, filled + sizeBytes);
      else copyWithin(room, filled, segment, address, sizeBytes);
      filled += sizeBytes;
    }
    const target = room.subarray(0, filled);
    if (window.adler32 !== null && window.adler32 !== adler32(target))
      throw wrongSource(`The checksum of the window at offset ${window.offset} is wrong`);
    yield target;
  }
}

/** What the three sections of a window take, in bytes. */
export function sectionsBytes({ data, instructions, addresses }: VcdiffWindow['sections']): number {
  return data.length + instructions.length + addresses.length;
}

/** A copy may begin in the source segment, cross into the window, and overlap what it makes. */
function copyWithin(
  room: Uint8Array,
  filled: number,
  segment: Uint8Array,
  address: number,
  sizeBytes: number,
): void {
  const fromSegment = Math.max(0, Math.min(sizeBytes, segment.length - address));
  room.set(segment.subarray(address, address + fromSegment), filled);
  const shift = address - segment.length;
  for (let i = fromSegment; i < sizeBytes; i++) room[filled + i] = room[shift + i]!;
}

function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  for (let at = 0; at < bytes.length; ) {
    // So many sums fit 32 bits.
    for (const end = Math.min(bytes.length, at + 5552); at < end; at++) {
      low += bytes[at]!;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return high * 0x10000 + low;
}

/** Reads numbers of seven bits a byte, the highest first; errors name the offset in the patch. */
class NumberReader {
  readonly #bytes: Uint8Array;
  /** Offset that errors name when the bytes are a section. */
  readonly #sectionOffset: number;
  #at: number;

  constructor(bytes: Uint8Array, sectionOffset: number, at = 0) {
    this.#bytes = bytes;
    this.#sectionOffset = sectionOffset;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  get offset(): number {
    return this.#sectionOffset + this.#at;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw corruptPatch(this.offset, 'it ends too early');
    this.#at++;
    return byte;
  }

  number(): number {
    const start = this.offset;
    let value = 0;
    for (;;) {
      const byte = this.byte();
      value = value * 128 + (byte & 0x7f);
      if (value > 0xffff_ffff) throw corruptPatch(start, 'a number is absurdly large');
      if (byte < 0x80) return value;
    }
  }

  bytes(count: number): Uint8Array {
    if (count > this.left) throw corruptPatch(this.offset, `${count} bytes are missing`);
    const start = this.#at;
    this.#at += count;
    return this.#bytes.subarray(start, this.#at);
  }
}
