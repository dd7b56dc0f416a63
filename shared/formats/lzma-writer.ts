import { GrowingBytes } from './growing-bytes.ts';
import { aloneHeaderBytes, type LzmaProperties } from './lzma-format.ts';
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

/**
 * No library on npm lets one set dictionary and properties, which the device's RAM decides; hence an own encoder.
 * Compresses as "LZMA alone" with an end mark, the kind that detools holds. The dictionary is a power of two from
 * 4096 bytes, at most the given size: what the decoder must have. The properties are tried on the symbols of a first pass.
 */
export function compressLzma(plain: Uint8Array, mostDictionaryBytes: number): Uint8Array {
  let dictionaryBytes = leastDictionaryBytes;
  while (dictionaryBytes < plain.length && dictionaryBytes * 2 <= mostDictionaryBytes)
    dictionaryBytes *= 2;
  let best = chooseSymbols(plain, dictionaryBytes, usual);
  let properties = usual;
  for (const alternative of alternatives) {
    const body = encodeSymbols(plain, best.symbols, alternative);
    if (body.length >= best.body.length) continue;
    best = { ...best, body };
    properties = alternative;
  }
  if (properties !== usual) {
    const again = chooseSymbols(plain, dictionaryBytes, properties);
    if (again.body.length < best.body.length) best = again;
  }
  const out = new GrowingBytes(aloneHeaderBytes + best.body.length);
  const header = new DataView(new ArrayBuffer(aloneHeaderBytes));
  const { literalContextBits, literalPositionBits, positionBits } = properties;
  header.setUint8(0, (positionBits * 5 + literalPositionBits) * 9 + literalContextBits);
  header.setUint32(1, dictionaryBytes, true);
  header.setBigUint64(5, 0xffff_ffff_ffff_ffffn, true);
  out.push(new Uint8Array(header.buffer));
  out.push(best.body);
  return out.view();
}

function encodeSymbols(
  plain: Uint8Array,
  symbols: SymbolList,
  properties: LzmaProperties,
): Uint8Array {
  const encoder = new SymbolEncoder(plain, properties);
  let at = 0;
  for (let index = 0; index < symbols.count; index++) {
    const length = symbols.lengths[index]!;
    encoder.encode(at, symbols.values[index]!, length);
    at += length;
  }
  return encoder.finish(at);
}
