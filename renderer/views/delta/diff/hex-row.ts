import { rowBytes } from '../../../../shared/diff/areas.ts';
import type { BytePages } from './byte-pages.ts';

/** What became of one byte; `none` where neither image has one. */
export type ByteState = 'same' | 'changed' | 'added' | 'removed' | 'none';

/** Both images at one row of 16 bytes: a byte, or -1 where there is none. */
export interface HexRow {
  readonly old: readonly number[];
  readonly new: readonly number[];
  readonly states: readonly ByteState[];
}

/** The row at an offset; null until its page has arrived. */
export function readRow(pages: BytePages, offset: number): HexRow | null {
  const found = pages.at(offset);
  if (!found) return null;
  const { page, at } = found;
  const before: number[] = [];
  const after: number[] = [];
  const states: ByteState[] = [];
  for (let index = at; index < at + rowBytes; index++) {
    const [was, is] = [page.old[index] ?? -1, page.new[index] ?? -1];
    before.push(was);
    after.push(is);
    states.push(stateOf(was, is));
  }
  return { old: before, new: after, states };
}

function stateOf(was: number, is: number): ByteState {
  if (was === is) return was < 0 ? 'none' : 'same';
  if (was < 0) return 'added';
  return is < 0 ? 'removed' : 'changed';
}

const digits = Array.from({ length: 256 }, (_, value) =>
  value.toString(16).toUpperCase().padStart(2, '0'),
);

/** Two digits of a byte, or `absent` where there is none. */
export const byteDigits = (byte: number, absent: string): string => digits[byte] ?? absent;

/** A byte as printable ASCII, else a dot; a space where there is none. */
export function byteCharacter(byte: number): string {
  if (byte < 0) return ' ';
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
}

/** What a row is marked with between the panes: not by colour alone. */
export function rowMark(states: readonly ByteState[]): string {
  const has = (state: ByteState): boolean => states.includes(state);
  if (has('changed') || (has('added') && has('removed'))) return '≠';
  if (has('added')) return '+';
  return has('removed') ? '−' : '';
}

/** One byte in words, for the line that is read out, for example `4F O`. */
export function byteWords(byte: number): string {
  if (byte < 0) return 'none';
  const character = byteCharacter(byte);
  return character === '.' && byte !== 0x2e
    ? byteDigits(byte, '')
    : `${byteDigits(byte, '')} ${character}`;
}
