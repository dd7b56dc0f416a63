import { GrowingBytes } from './growing-bytes.ts';
import { aloneHeaderBytes, type LzmaProperties, propertiesBytes } from './lzma-format.ts';
import { chooseSymbols, type SymbolList } from './lzma-parser.ts';
import { SymbolEncoder } from './lzma-symbols.ts';

const leastDictionaryBytes = 4096;
/** What liblzma begins with; the others suit aligned code and tables, or small patches. */
const usual: LzmaProperties = { literalContextBits: 3, literalPositionBits: 0, positionBits: 2 };
const alternatives: readonly LzmaProperties[] = [
  { literalContextBits: 3, literalPositionBits: 0, positionBits: 0 },
  { literalContextBits: 0, literalPositionBits: 0, positionBits: 0 },
  { literalContextBits: 1, literalPositionBits: 0, positionBits: 2 },
  { literalContextBits: 0, literalPositionBits: 2, positionBits: 2 },
  { literalContextBits: 1, literalPositionBits: 2, positionBits: 2 },
  { literalContextBits: 2, literalPositionBits: 2, positionBits: 2 },
];
/** Literal contexts of all of them are of at most so many bits. */
const triedContextBits = 4;

/** A stream, and what its decoder must know. */
interface PackedLzma {
  readonly properties: LzmaProperties;
  readonly dictionaryBytes: number;
  readonly body: Uint8Array;
}

/**
 * No library on npm lets one set dictionary and properties, which the device's RAM decides; hence an own encoder.
 * Compresses as "LZMA alone" with an end mark, the kind that detools holds. The dictionary is a power of two from
 * 4096 bytes, at most the given size: what the decoder must have. The properties are tried on the symbols of a first pass;
 * the literal contexts of some are of four bits, the usual ones of three.
 */
export function compressLzma(
  plain: Uint8Array,
  mostDictionaryBytes: number,
  mostContextBits = triedContextBits,
): Uint8Array {
  const packed = pack(plain, mostDictionaryBytes, true, mostContextBits);
  const header = new Uint8Array(aloneHeaderBytes).fill(0xff);
  writeProperties(header, 0, packed);
  return joined(header, packed.body);
}

/**
 * Compresses as HDiffPatch keeps it: the number of the bytes for properties and dictionary, these, and a stream without
 * an end mark, since the size stands elsewhere. The dictionary is as that of {@link compressLzma}.
 */
export function compressCountedLzma(plain: Uint8Array, mostDictionaryBytes: number): Uint8Array {
  const packed = pack(plain, mostDictionaryBytes, false);
  const header = new Uint8Array(1 + propertiesBytes);
  header[0] = propertiesBytes;
  writeProperties(header, 1, packed);
  return joined(header, packed.body);
}

function pack(
  plain: Uint8Array,
  mostDictionaryBytes: number,
  hasEndMark: boolean,
  mostContextBits = triedContextBits,
): PackedLzma {
  let dictionaryBytes = leastDictionaryBytes;
  while (dictionaryBytes < plain.length && dictionaryBytes * 2 <= mostDictionaryBytes)
    dictionaryBytes *= 2;
  let best = chooseSymbols(plain, dictionaryBytes, usual, hasEndMark);
  let properties = usual;
  for (const alternative of alternatives) {
    const contextBits = alternative.literalContextBits + alternative.literalPositionBits;
    if (contextBits > mostContextBits) continue;
    const body = encodeSymbols(plain, best.symbols, alternative, hasEndMark);
    if (body.length >= best.body.length) continue;
    best = { ...best, body };
    properties = alternative;
  }
  if (properties !== usual) {
    const again = chooseSymbols(plain, dictionaryBytes, properties, hasEndMark);
    if (again.body.length < best.body.length) best = again;
  }
  return { properties, dictionaryBytes, body: best.body };
}

function writeProperties(
  header: Uint8Array,
  at: number,
  { properties, dictionaryBytes }: PackedLzma,
): void {
  const { literalContextBits, literalPositionBits, positionBits } = properties;
  header[at] = (positionBits * 5 + literalPositionBits) * 9 + literalContextBits;
  new DataView(header.buffer).setUint32(at + 1, dictionaryBytes, true);
}

function joined(header: Uint8Array, body: Uint8Array): Uint8Array {
  const out = new GrowingBytes(header.length + body.length);
  out.push(header);
  out.push(body);
  return out.view();
}

function encodeSymbols(
  plain: Uint8Array,
  symbols: SymbolList,
  properties: LzmaProperties,
  hasEndMark: boolean,
): Uint8Array {
  const encoder = new SymbolEncoder(plain, properties);
  let at = 0;
  for (let index = 0; index < symbols.count; index++) {
    const length = symbols.lengths[index]!;
    encoder.encode(at, symbols.values[index]!, length);
    at += length;
  }
  return encoder.finish(at, hasEndMark);
}
