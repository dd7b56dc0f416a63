import type { ByteStream } from './byte-stream.ts';
import { tarBlockBytes, tarNumber } from './tar-header.ts';
import { type PaxRecords, paxNumber } from './tar-pax.ts';

/** A run of data of a sparse member: where it goes in the file. */
interface Run {
  readonly offset: number;
  readonly sizeBytes: number;
}

interface SparseMap {
  readonly runs: readonly Run[];
  /** Size of the file with its holes. */
  readonly realBytes: number;
  /** Bytes of the member's data that the map itself takes. */
  readonly mapBytes: number;
}

const mostRuns = 100_000;
const longestNumber = 16;
const longestMapBytes = 2 * mostRuns * (longestNumber + 1);

/**
 * Reads the map of a sparse member; null when it is broken, undefined when the member is not
 * sparse. The stream then stands at the first byte of data.
 * Source: GNU tar manual, "Storing Sparse Files" (old GNU format and pax 0.0, 0.1, 1.0).
 */
export async function readSparseMap(
  stream: ByteStream,
  type: string,
  header: Uint8Array,
  pax: PaxRecords,
  sizeBytes: number,
): Promise<SparseMap | null | undefined> {
  if (type === 'S') return readOldGnuMap(stream, header);
  const realBytes = paxNumber(pax, 'GNU.sparse.realsize') ?? paxNumber(pax, 'GNU.sparse.size');
  if (pax.values.get('GNU.sparse.major') === '1') {
    const list = leadingNumbers(await stream.peek(Math.min(sizeBytes, longestMapBytes)));
    if (list === null || list.endsAt > sizeBytes || typeof realBytes !== 'number') return null;
    const mapBytes = Math.ceil(list.endsAt / tarBlockBytes) * tarBlockBytes;
    if (mapBytes > sizeBytes) return null;
    await stream.take(mapBytes);
    const runs = inPairs(list.numbers);
    return runs && { runs, realBytes, mapBytes };
  }
  if (realBytes === undefined) return undefined;
  const map = pax.values.get('GNU.sparse.map');
  const runs = inPairs(map === undefined ? pax.sparsePairs : map.split(','));
  return runs && realBytes !== null ? { runs, realBytes, mapBytes: 0 } : null;
}

/** Four runs stand in the header, 21 in each block that follows it. */
async function readOldGnuMap(stream: ByteStream, header: Uint8Array): Promise<SparseMap | null> {
  const realBytes = tarNumber(header, 483, 12);
  const runs: Run[] = [];
  for (let block = header, from = 386, count = 4; ; from = 0, count = 21) {
    for (let at = from; at < from + count * 24 && block[at] !== 0; at += 24) {
      const offset = tarNumber(block, at, 12);
      const sizeBytes = tarNumber(block, at + 12, 12);
      if (offset === null || sizeBytes === null || runs.length >= mostRuns) return null;
      runs.push({ offset, sizeBytes });
    }
    if (block[from + count * 24] === 0) break;
    block = await stream.take(tarBlockBytes);
    if (block.length < tarBlockBytes) return null;
  }
  return realBytes === null ? null : { runs, realBytes, mapBytes: 0 };
}

/** The lines of a map that stands before the data: their number first. */
function leadingNumbers(
  bytes: Uint8Array,
): { readonly numbers: readonly string[]; readonly endsAt: number } | null {
  const numbers: string[] = [];
  let wanted = 1;
  let at = 0;
  while (numbers.length < wanted) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0 || end - at > longestNumber) return null;
    const text = String.fromCharCode(...bytes.subarray(at, end));
    if (!/^\d+$/.test(text)) return null;
    if (numbers.length === 0) wanted = 1 + 2 * Number(text);
    if (wanted > 1 + 2 * mostRuns) return null;
    numbers.push(text);
    at = end + 1;
  }
  return { numbers: numbers.slice(1), endsAt: at };
}

function inPairs(numbers: readonly string[]): Run[] | null {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * mostRuns) return null;
  const runs: Run[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, sizeBytes] = [Number(numbers[index]), Number(numbers[index + 1])];
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(sizeBytes)) return null;
    runs.push({ offset, sizeBytes });
  }
  return runs;
}

/** What is wrong with a map, or null: its runs must ascend, fit the file and add up to the data. */
export function sparseFault({ runs, realBytes }: SparseMap, dataBytes: number): string | null {
  let end = 0;
  let sum = 0;
  for (const { offset, sizeBytes } of runs) {
    if (offset < end) return `the data at ${offset} overlaps the data before it`;
    end = offset + sizeBytes;
    sum += sizeBytes;
  }
  if (end > realBytes) return `its data ends at ${end}, the file at ${realBytes}`;
  return sum === dataBytes ? null : `it lists ${sum} bytes of data, ${dataBytes} are there`;
}
