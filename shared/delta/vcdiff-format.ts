/** Numbers of VCDIFF with its default code table (RFC 3284). Sizes and addresses are in bytes. */
export const vcdiffMagic = [0xd6, 0xc3, 0xc4, 0] as const;

/** Bits of the header and window indicators (RFC 3284 sections 4.1 and 4.2); the last two of them are xdelta3's own. */
export const secondaryCompressor = 1;
export const ownCodeTable = 2;
export const applicationHeader = 4;
export const fromSource = 1;
export const fromTarget = 2;
export const adler32Present = 4;

export const nearCount = 4;
const sameCount = 3;
const sameSlots = sameCount * 256;
export const selfMode = 0;
export const hereMode = 1;
export const firstNearMode = 2;
export const firstSameMode = firstNearMode + nearCount;
/** What {@link AddressCache} takes. */
export const addressCacheBytes = 4 * (nearCount + sameSlots);
const modeCount = firstSameMode + sameCount;

export type InstructionKind = 'add' | 'copy' | 'run';

/** Half of a code table entry; size 0 means that the size follows. */
export interface CodeHalf {
  readonly kind: InstructionKind;
  readonly size: number;
  readonly mode: number;
}

/** The default code table: entry by code byte (RFC 3284 section 5.6). */
export const codeTable: readonly (readonly [CodeHalf] | readonly [CodeHalf, CodeHalf])[] = [
  [{ kind: 'run', size: 0, mode: 0 }] as const,
  ...range(0, 17).map((size) => [add(size)] as const),
  ...range(0, modeCount - 1).flatMap((mode) =>
    [0, ...range(4, 18)].map((size) => [copy(size, mode)] as const),
  ),
  ...range(0, firstSameMode - 1).flatMap((mode) =>
    range(1, 4).flatMap((first) =>
      range(4, 6).map((second) => [add(first), copy(second, mode)] as const),
    ),
  ),
  ...range(firstSameMode, modeCount - 1).flatMap((mode) =>
    range(1, 4).map((first) => [add(first), copy(4, mode)] as const),
  ),
  ...range(0, modeCount - 1).map((mode) => [copy(4, mode), add(1)] as const),
];

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function add(size: number): CodeHalf {
  return { kind: 'add', size, mode: 0 };
}

function copy(size: number, mode: number): CodeHalf {
  return { kind: 'copy', size, mode };
}

/** How many bytes a number takes, seven bits each. */
export function numberBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Addresses that were used lately, so that they are written shorter; begins anew with each window (RFC 3284 section 5.1). */
export class AddressCache {
  readonly near = new Uint32Array(nearCount);
  readonly same = new Uint32Array(sameSlots);
  #next = 0;

  get next(): number {
    return this.#next;
  }

  update(address: number): void {
    this.near[this.#next] = address;
    this.#next = (this.#next + 1) % nearCount;
    this.same[address % sameSlots] = address;
  }

  /** Where an address that is in the cache of the same ones stands there, or -1. */
  sameSlot(address: number): number {
    const slot = address % sameSlots;
    return this.same[slot] === address ? slot : -1;
  }
}
