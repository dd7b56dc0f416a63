/** Facts of the bit format of tinyuz (its decoder `tuz_dec.c` and `tuz_types_private.h`, with literal lines). */

/** The stream begins with the size of its dictionary, little-endian. */
export const dictionarySizeBytes = 4;
export const leastMatchBytes = 2;
/** Matches from farther away than this are one byte longer than their length says. */
export const nearBytes = 2687;
/** Runs of literals from this length on may stand without a bit before each. */
export const leastLineBytes = 15;
/** Distances below this take one byte; the rest of larger ones follows in groups of bits. */
export const shortDistances = 128;
/** Distance 0 is none: the length tells what happens instead. */
export const controls = { line: 1, clipEnd: 2, streamEnd: 3 } as const;
/** Bits of a group of a length and of a distance or a line, beside the one that says whether another follows. */
export const lengthGroupBits = 1;
export const distanceGroupBits = 2;
