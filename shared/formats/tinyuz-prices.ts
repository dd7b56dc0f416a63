import {
  distanceGroupBits,
  leastLineBytes,
  leastMatchBytes,
  lengthGroupBits,
  nearBytes,
  shortDistances,
} from './tinyuz-format.ts';

/** Bits that parts of a tinyuz stream take. */
export const literalPrice = 9;
const byteBits = 8;
const kindBits = 1;
const lineControlBits = kindBits + (lengthGroupBits + 1) + byteBits;

/** Bits of a number in groups, each of which says whether another follows. */
function numberPrice(value: number, groupBits: number): number {
  let bits = groupBits + 1;
  let rest = value;
  for (let most = 1 << groupBits; rest >= most; most <<= groupBits) {
    rest -= most;
    bits += groupBits + 1;
  }
  return bits;
}

const lengthPrices = Uint8Array.from({ length: 1024 }, (_, length) =>
  length < leastMatchBytes ? 0 : numberPrice(length - leastMatchBytes, lengthGroupBits),
);

/** Kind and length of a match, which is at least 2. */
export function lengthPrice(length: number): number {
  return (
    kindBits + (lengthPrices[length] ?? numberPrice(length - leastMatchBytes, lengthGroupBits))
  );
}

/** A distance of a match, which is at least 1. */
export function distancePrice(distance: number): number {
  if (distance < shortDistances) return byteBits;
  const rest = Math.floor((distance - shortDistances) / shortDistances);
  return byteBits + numberPrice(rest, distanceGroupBits);
}

/** The shortest match at a distance: far ones say a length of one less. */
export function shortestMatch(distance: number): number {
  return distance > nearBytes ? leastMatchBytes + 1 : leastMatchBytes;
}

/** A literal line with the fewest literals. */
export const linePrice = lineControlBits + distanceGroupBits + 1 + leastLineBytes * byteBits;

/** What a further literal in a line of so many takes. */
export function longerLinePrice(length: number): number {
  const rest = length - leastLineBytes;
  return byteBits + numberPrice(rest + 1, distanceGroupBits) - numberPrice(rest, distanceGroupBits);
}
