import type { Operation } from './operations.ts';
import { SeedIndex, SeedSearch } from './seed-index.ts';
import { type AddressCache, firstSameMode, nearCount, numberBytes } from './vcdiff-format.ts';

/** What a window is made of, in order; a copy's address counts from the start of the source, behind which the window lies. */
export interface Instruction {
  readonly kind: 'add' | 'copy' | 'run';
  readonly targetStart: number;
  readonly sizeBytes: number;
  readonly address: number;
}

const leastCopyBytes = 4;
const leastRunBytes = 4;
/** Sizes up to these are part of the code byte. */
const shortCopyBytes = 18;
const shortAddBytes = 17;
/** A copy as long as this is taken at once. */
const niceBytes = 128;
/** With an aligned copy of this size others are not searched. */
const followBytes = 32;
const horizon = 4096;
const overlapBytes = 256;
/** Behind a copy that interrupts an addition of this size, the next one is likely to need two bytes for its size again. */
const longAddBytes = 127;
const restartBytes = 3;
/** Shorter pieces of a copy are tried up to this size. */
const triedBytes = 24;
const localCandidates = 24;
const localHashBits = 17;
const shiftCount = 4;
/** Each position is reached with an addition that can go on, or without. */
const layers = 2;
const nodeCount = (horizon + 2) * layers;
const unreached = 0x7fff_ffff;
const noAddress = -1;
const runAddress = -2;

/** Finds the cheapest instructions for the windows of a target, by the bytes that they will take. */
export class InstructionParser {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #operations: readonly Operation[];
  readonly #search: SeedSearch;
  #operation = 0;
  #windowStart = 0;
  /** Where the stretch begins. */
  #start = 0;
  /** Bytes that the addition has which goes on at its beginning. */
  #addedBefore = 0;
  #windowEnd = 0;
  readonly #heads = new Int32Array(1 << localHashBits);
  #chain = new Int32Array(0);
  #known = 0;
  // The cheapest way to each position of a stretch, with the addresses and alignments that it leaves behind.
  readonly #cost = new Int32Array(nodeCount);
  readonly #from = new Int32Array(nodeCount);
  readonly #address = new Float64Array(nodeCount);
  readonly #added = new Int32Array(nodeCount);
  readonly #near = new Uint32Array(nodeCount * nearCount);
  readonly #next = new Uint8Array(nodeCount);
  /** Address minus target position of the last different copies. */
  readonly #shifts = new Float64Array(nodeCount * shiftCount);
  /** Alignments that stretches before this one ended with. */
  readonly #lastShifts = new Float64Array(shiftCount);

  constructor(source: Uint8Array, target: Uint8Array, operations: readonly Operation[]) {
    this.#source = source;
    this.#target = target;
    this.#operations = operations;
    this.#search = new SeedSearch(new SeedIndex(source), target);
  }

  /** Hands out the instructions of one window; the cache is the one that they are written with as they come. */
  window(
    start: number,
    end: number,
    cache: AddressCache,
    onInstruction: (instruction: Instruction) => void,
  ): void {
    this.#windowStart = start;
    this.#windowEnd = end;
    this.#heads.fill(-1);
    if (this.#chain.length < end - start) this.#chain = new Int32Array(end - start);
    this.#known = start;
    this.#lastShifts.fill(Number.NaN);
    this.#addedBefore = 0;
    for (let at = start; at < end; ) at = this.#stretch(at, cache, onInstruction);
  }

  #stretch(
    start: number,
    cache: AddressCache,
    onInstruction: (instruction: Instruction) => void,
  ): number {
    const size = Math.min(horizon, this.#windowEnd - start);
    this.#start = start;
    this.#cost.fill(unreached, 0, (size + 1) * layers);
    const first = this.#addedBefore > 0 ? 1 : 0;
    this.#cost[first] = 0;
    this.#added[first] = this.#addedBefore;
    this.#near.set(cache.near, first * nearCount);
    this.#next[first] = cache.next;
    this.#shifts.set(this.#lastShifts, first * shiftCount);
    let place = 0;
    let long: Instruction | null = null;
    for (; place < size && !long; place++) long = this.#relax(start + place, place, size, cache);
    let end = this.#cheaper(long ? long.targetStart - start : place);
    // What is best near the end depends on what follows: that part is looked at again.
    if (!long && start + size < this.#windowEnd)
      while (end >= (size - overlapBytes) * layers) end = this.#from[end]!;
    this.#hand(end, onInstruction);
    this.#addedBefore = long ? 0 : this.#added[end]!;
    this.#lastShifts.set(this.#shifts.subarray(end * shiftCount, (end + 1) * shiftCount));
    if (!long) return start + Math.floor(end / layers);
    onInstruction(long);
    if (long.kind === 'copy') remember(this.#lastShifts, 0, long.address - long.targetStart);
    return long.targetStart + long.sizeBytes;
  }

  /** The cheaper node of a position. */
  #cheaper(place: number): number {
    const node = place * layers;
    return this.#cost[node + 1]! < this.#cost[node]! ? node + 1 : node;
  }

  /** Offers everything that can follow a position; returns a match that is long enough to end the stretch. */
  #relax(at: number, place: number, size: number, cache: AddressCache): Instruction | null {
    const target = this.#target;
    const limit = this.#windowEnd - at;
    const nodes = [place * layers, place * layers + 1].filter(
      (node) => this.#cost[node]! < unreached,
    );
    for (const node of nodes) {
      const added = this.#added[node]!;
      const codeCost = added === 0 || added === shortAddBytes || added === longAddBytes ? 1 : 0;
      this.#offer(
        (place + 1) * layers + 1,
        this.#cost[node]! + 1 + codeCost,
        node,
        noAddress,
        added + 1,
      );
    }
    let longest = 0;
    let longAddress = 0;
    const consider = (address: number, length: number): void => {
      if (length < leastCopyBytes) return;
      if (length > longest) {
        longest = length;
        longAddress = address;
      }
      for (const node of nodes) this.#offerCopy(at, node, size, address, length, cache);
    };
    for (const node of nodes)
      for (let i = 0; i < shiftCount; i++) {
        const shift = this.#shifts[node * shiftCount + i]!;
        if (!Number.isNaN(shift)) consider(at + shift, this.#matchLength(at, at + shift));
      }
    const planned = this.#plannedShift(at);
    if (!Number.isNaN(planned)) consider(at + planned, this.#matchLength(at, at + planned));
    if (longest < followBytes) {
      const preferred = at + (Number.isNaN(planned) ? 0 : planned);
      const found = Math.min(limit, this.#search.search(at, longest + 1, preferred));
      if (found > 0) consider(this.#search.foundAt, found);
    }
    let run = 1;
    while (run < limit && target[at + run] === target[at]) run++;
    if (run >= niceBytes) return { kind: 'run', targetStart: at, sizeBytes: run, address: 0 };
    if (run >= leastRunBytes && place + run <= size)
      for (const node of nodes) {
        const cost = this.#cost[node]! + 2 + numberBytes(run);
        this.#offer((place + run) * layers, cost, node, runAddress, 0);
      }
    if (longest < followBytes) this.#local(at, consider);
    if (longest < niceBytes) return null;
    return { kind: 'copy', targetStart: at, sizeBytes: longest, address: longAddress };
  }

  /** The alignment of the operation that makes a position. */
  #plannedShift(at: number): number {
    while (
      this.#operation + 1 < this.#operations.length &&
      this.#operations[this.#operation + 1]!.targetStart <= at
    )
      this.#operation++;
    while (this.#operation > 0 && this.#operations[this.#operation]!.targetStart > at)
      this.#operation--;
    const operation = this.#operations[this.#operation];
    return operation ? operation.sourceStart - operation.targetStart : Number.NaN;
  }

  /** How far the target agrees with an address; a copy stays within the source or within the window. */
  #matchLength(at: number, address: number): number {
    const source = this.#source;
    const target = this.#target;
    if (address < 0) return 0;
    let length = 0;
    if (address < source.length) {
      const limit = Math.min(source.length - address, this.#windowEnd - at);
      while (length < limit && source[address + length] === target[at + length]) length++;
      return length;
    }
    const from = this.#windowStart + address - source.length;
    if (from >= at) return 0;
    const limit = this.#windowEnd - at;
    while (length < limit && target[from + length] === target[at + length]) length++;
    return length;
  }

  /** Looks for copies from the window itself. */
  #local(at: number, consider: (address: number, length: number) => void): void {
    const target = this.#target;
    if (at + leastCopyBytes > this.#windowEnd) return;
    for (; this.#known < at; this.#known++) {
      if (this.#known + leastCopyBytes > this.#windowEnd) break;
      const slot = hashOf(target, this.#known);
      this.#chain[this.#known - this.#windowStart] = this.#heads[slot]!;
      this.#heads[slot] = this.#known;
    }
    let best = leastCopyBytes - 1;
    let candidate = this.#heads[hashOf(target, at)]!;
    const limit = this.#windowEnd - at;
    // Behind the end of a stretch some positions are known before they are looked at again.
    while (candidate >= at) candidate = this.#chain[candidate - this.#windowStart]!;
    for (let left = localCandidates; left > 0 && candidate >= 0; left--) {
      if (best < limit && target[candidate + best] === target[at + best]) {
        let length = 0;
        while (length < limit && target[candidate + length] === target[at + length]) length++;
        if (length > best) {
          best = length;
          consider(this.#source.length + candidate - this.#windowStart, length);
          if (length >= niceBytes) return;
        }
      }
      candidate = this.#chain[candidate - this.#windowStart]!;
    }
  }

  #offerCopy(
    at: number,
    node: number,
    size: number,
    address: number,
    length: number,
    cache: AddressCache,
  ): void {
    const here = this.#source.length + at - this.#windowStart;
    let mode = 0;
    let addressCost = numberBytes(address);
    if (numberBytes(here - address) < addressCost) addressCost = numberBytes(here - address);
    for (let i = 0; i < nearCount; i++) {
      const distance = address - this.#near[node * nearCount + i]!;
      if (distance >= 0 && numberBytes(distance) < addressCost) addressCost = numberBytes(distance);
    }
    if (addressCost > 1 && cache.sameSlot(address) >= 0) {
      addressCost = 1;
      mode = firstSameMode;
    }
    if (this.#added[node]! > longAddBytes && length <= addressCost + 1 + restartBytes) return;
    const base = this.#cost[node]! + addressCost + 1;
    const isJoined = this.#added[node]! > 0 && this.#added[node]! <= 4;
    const place = Math.floor(node / layers);
    const most = Math.min(length, size - place);
    for (let bytes = leastCopyBytes; bytes <= Math.min(most, triedBytes); bytes++) {
      const joins = isJoined && bytes <= (mode < firstSameMode ? 6 : 4) ? 1 : 0;
      const extra = bytes > shortCopyBytes ? numberBytes(bytes) : 0;
      this.#offer((place + bytes) * layers, base + extra - joins, node, address, 0);
    }
    if (most > triedBytes)
      this.#offer((place + most) * layers, base + numberBytes(most), node, address, 0);
  }

  #offer(to: number, cost: number, from: number, address: number, added: number): void {
    if (cost >= this.#cost[to]!) return;
    this.#cost[to] = cost;
    this.#from[to] = from;
    this.#address[to] = address;
    this.#added[to] = added;
    const near = this.#near;
    for (let i = 0; i < nearCount; i++) near[to * nearCount + i] = near[from * nearCount + i]!;
    const shifts = this.#shifts;
    for (let i = 0; i < shiftCount; i++)
      shifts[to * shiftCount + i] = shifts[from * shiftCount + i]!;
    const next = this.#next[from]!;
    this.#next[to] = next;
    if (address < 0) return;
    near[to * nearCount + next] = address;
    this.#next[to] = (next + 1) % nearCount;
    remember(shifts, to * shiftCount, address - (this.#start + Math.floor(from / layers)));
  }

  /** Hands out the cheapest way to a node. */
  #hand(end: number, onInstruction: (instruction: Instruction) => void): void {
    const nodes: number[] = [];
    for (let node = end; node >= layers; ) {
      nodes.push(node);
      let from = this.#from[node]!;
      // Bytes that are added one by one are one instruction.
      if (this.#address[node] === noAddress)
        while (from >= layers && this.#address[from] === noAddress) from = this.#from[from]!;
      node = from;
    }
    let place = 0;
    for (const node of nodes.reverse()) {
      const address = this.#address[node]!;
      const kind = address >= 0 ? 'copy' : address === runAddress ? 'run' : 'add';
      const reached = Math.floor(node / layers);
      onInstruction({
        kind,
        targetStart: this.#start + place,
        sizeBytes: reached - place,
        address: Math.max(0, address),
      });
      place = reached;
    }
  }
}

/** Puts an alignment in front of the four at a place, unless it is one of them. */
function remember(shifts: Float64Array, at: number, shift: number): void {
  for (let i = 0; i < shiftCount; i++) if (shifts[at + i] === shift) return;
  for (let i = shiftCount - 1; i > 0; i--) shifts[at + i] = shifts[at + i - 1]!;
  shifts[at] = shift;
}

function hashOf(bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return Math.imul(word, 0x9e3779b1) >>> (32 - localHashBits);
}
