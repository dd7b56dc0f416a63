import { type CoapOption, coapOption } from './coap-message.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An option that holds text. */
export function textOption(number: number, text: string): CoapOption {
  return { number, value: encoder.encode(text) };
}

/** An option that holds an unsigned number in as few bytes as it needs (RFC 7252 3.2). */
export function uintOption(number: number, value: number): CoapOption {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return { number, value: Uint8Array.from(bytes) };
}

/** The values of a repeatable text option. */
export function optionTexts(options: readonly CoapOption[], number: number): string[] {
  return options
    .filter((option) => option.number === number)
    .map(({ value }) => decoder.decode(value));
}

/** The value of a numeric option, or null without one. */
export function optionUint(options: readonly CoapOption[], number: number): number | null {
  const found = options.find((option) => option.number === number);
  return found ? found.value.reduce((value, byte) => value * 256 + byte, 0) : null;
}

/** The path of a request, as options. */
export function pathOptions(path: readonly string[]): CoapOption[] {
  return path.map((segment) => textOption(coapOption.uriPath, segment));
}

/** A block option (RFC 7959 2.2): which block, whether more follow, and its size in bytes. */
export interface Block {
  readonly number: number;
  readonly more: boolean;
  /** 16 to 1024, a power of two. */
  readonly sizeBytes: number;
}

/** Size of the blocks that are sent unless the other side asks for smaller ones. */
export const largestBlockBytes = 1024;

/** The block option of that number, null without one or with a reserved size. */
export function readBlock(options: readonly CoapOption[], number: number): Block | null {
  const value = optionUint(options, number);
  if (value === null || (value & 7) === 7) return null;
  return {
    number: Math.floor(value / 16),
    more: (value & 8) !== 0,
    sizeBytes: 16 << (value & 7),
  };
}

/** A block as an option. */
export function blockOption(number: number, block: Block): CoapOption {
  const exponent = Math.log2(block.sizeBytes) - 4;
  return uintOption(number, block.number * 16 + (block.more ? 8 : 0) + exponent);
}
