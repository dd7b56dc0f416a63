/**
 * Numbers that encoder and decoder of LZMA share. Source: "LZMA specification (draft)" in the LZMA SDK.
 * All probabilities of a stream lie in one array; the constants say where each group begins.
 */
const stateCount = 12;
export const positionStates = 16;
export const longestMatch = 273;
export const shortestMatch = 2;
/** Distances below this one have a probability of their own for each of their bits. */
export const fullDistances = 128;
export const alignBits = 4;
export const probabilityBits = 11;
export const halfProbability = 1 << (probabilityBits - 1);
export const adaptShift = 5;

export const isMatchAt = 0;
export const isRepAt = isMatchAt + stateCount * positionStates;
export const isRep0At = isRepAt + stateCount;
export const isRep1At = isRep0At + stateCount;
export const isRep2At = isRep1At + stateCount;
export const isLongRep0At = isRep2At + stateCount;
export const slotAt = isLongRep0At + stateCount * positionStates;
export const specialAt = slotAt + 4 * 64;
export const alignAt = specialAt + fullDistances;
export const matchLengthAt = alignAt + (1 << alignBits);
const lengthCoderSize = 2 + 2 * positionStates * 8 + 256;
export const repLengthAt = matchLengthAt + lengthCoderSize;
export const literalAt = repLengthAt + lengthCoderSize;

/** Within the length coder: two choices, then trees of 3, 3 and 8 bits. */
export const lengthLowAt = 2;
export const lengthMidAt = lengthLowAt + positionStates * 8;
export const lengthHighAt = lengthMidAt + positionStates * 8;

/** How a stream is modelled: bits of the byte before, of the position for literals, of the position for the rest. */
export interface LzmaProperties {
  readonly literalContextBits: number;
  readonly literalPositionBits: number;
  readonly positionBits: number;
}

/** How many probabilities a stream of such properties has. */
export function probabilityCount({
  literalContextBits,
  literalPositionBits,
}: LzmaProperties): number {
  return literalAt + (0x300 << (literalContextBits + literalPositionBits));
}

/** State after a literal. */
export function afterLiteral(state: number): number {
  if (state < 4) return 0;
  return state < 10 ? state - 3 : state - 6;
}

/** Above this many bits of a slot the middle bits of a distance are stored plainly. */
export const directFromSlot = 14;
/** Properties and dictionary, in bytes. */
export const propertiesBytes = 5;
/** Properties, dictionary and size of the "LZMA alone" format, in bytes. */
export const aloneHeaderBytes = propertiesBytes + 8;
