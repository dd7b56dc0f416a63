import { type AreaMap, rowBytes } from '../../../../shared/diff/areas.ts';
import type { BytePages } from './byte-pages.ts';
import type { HexPosition } from './hex-navigator.ts';
import { type ByteState, byteCharacter, byteDigits, readRow, rowMark } from './hex-row.ts';

/** Height of a row, in CSS pixels. */
export const rowPx = 18;
/** Height of the names and column numbers above the rows. */
export const headPx = 42;
const fontPx = 12;
const paddingPx = 10;
const dashPx = 4;
const hexChars = rowBytes * 3;
/** Characters between the parts of a row. */
const gapChars = 2;

/** Colours of the panes, read from the style sheet. */
export interface HexColors {
  readonly text: string;
  readonly dim: string;
  readonly line: string;
  readonly cursor: string;
  readonly changed: string;
  readonly added: string;
  readonly removed: string;
  readonly head: string;
}

/** What is drawn. */
export interface HexScene {
  readonly map: AreaMap;
  readonly pages: BytePages;
  readonly position: HexPosition;
  readonly names: { readonly old: string; readonly new: string };
  readonly isFocused: boolean;
}

/** Where the parts of a row are, in CSS pixels. */
export interface HexColumns {
  readonly charPx: number;
  readonly addressAt: number;
  readonly panes: readonly { readonly hexAt: number; readonly textAt: number | null }[];
  readonly markAt: number;
}

/** Places the parts of a row; where there is no room for them, the columns of text are left out. */
export function placeColumns(charPx: number, widthPx: number, addressDigits: number): HexColumns {
  const addressChars = addressDigits + 1 + gapChars;
  const textChars = rowBytes + gapChars;
  const withText = addressChars + 2 * (hexChars + gapChars + textChars) + 1;
  const hasText = withText * charPx + 2 * paddingPx <= widthPx;
  const paneChars = hexChars + gapChars + (hasText ? textChars : 0);
  const at = (chars: number): number => paddingPx + chars * charPx;
  const pane = (chars: number) => ({
    hexAt: at(chars),
    textAt: hasText ? at(chars + hexChars + gapChars) : null,
  });
  return {
    charPx,
    addressAt: at(0),
    panes: [pane(addressChars), pane(addressChars + paneChars + 1 + gapChars)],
    markAt: at(addressChars + paneChars),
  };
}

/** The byte at a place of a pane; null beside the bytes. */
export function columnAt(columns: HexColumns, x: number): number | null {
  for (const { hexAt, textAt } of columns.panes) {
    for (let byte = 0; byte < rowBytes; byte++) {
      const left = hexAt + byteChars(byte) * columns.charPx;
      if (x >= left - columns.charPx / 2 && x < left + 2.5 * columns.charPx) return byte;
    }
    const inText = textAt === null ? -1 : Math.floor((x - textAt) / columns.charPx);
    if (inText >= 0 && inText < rowBytes) return inText;
  }
  return null;
}

/** Characters before a byte: there is a wider gap in the middle of the row. */
const byteChars = (byte: number): number => byte * 3 + (byte >= rowBytes / 2 ? 1 : 0);

/** Font of the panes. */
export const hexFont = (family: string): string => `${fontPx}px ${family}`;

/** An address with a gap after its upper digits. */
export function addressDigitsText(address: number, digits: number): string {
  const text = address.toString(16).toUpperCase().padStart(digits, '0');
  return `${text.slice(0, -4)}_${text.slice(-4)}`;
}

/** Draws both panes; only the rows in sight are touched. */
export class HexPainter {
  readonly #context: CanvasRenderingContext2D;
  readonly #colors: HexColors;
  readonly columns: HexColumns;
  readonly #digits: number;
  readonly #jumpRows: ReadonlySet<number>;

  constructor(
    context: CanvasRenderingContext2D,
    options: { colors: HexColors; font: string; widthPx: number; map: AreaMap },
  ) {
    this.#context = context;
    this.#colors = options.colors;
    context.font = options.font;
    context.textBaseline = 'middle';
    const { areas, jumps } = options.map;
    const last = areas.at(-1);
    this.#digits = Math.max(8, ((last?.start ?? 0) + (last?.sizeBytes ?? 0)).toString(16).length);
    this.#jumpRows = new Set(jumps.map((offset) => offset / rowBytes));
    const charPx = context.measureText('0'.repeat(100)).width / 100;
    this.columns = placeColumns(charPx, options.widthPx, this.#digits);
  }

  /** Draws a frame of the given size in CSS pixels. */
  paint(scene: HexScene, widthPx: number, heightPx: number): void {
    const context = this.#context;
    const { topRow } = scene.position;
    context.clearRect(0, 0, widthPx, heightPx);
    const rows = scene.map.sizeBytes / rowBytes;
    const first = Math.floor(topRow);
    for (let row = first; row < rows; row++) {
      const y = headPx + (row - topRow) * rowPx;
      if (y >= heightPx) break;
      this.#paintRow(scene, row, y, widthPx);
    }
    this.#paintHead(scene, widthPx);
  }

  #paintHead({ names }: HexScene, widthPx: number): void {
    const context = this.#context;
    const { dim, text, line, head } = this.#colors;
    context.fillStyle = head;
    context.fillRect(0, 0, widthPx, headPx);
    context.fillStyle = line;
    context.fillRect(0, headPx - 1, widthPx, 1);
    const { columns } = this;
    const [older, newer] = columns.panes;
    const nameChars = Math.floor(((newer?.hexAt ?? 0) - (older?.hexAt ?? 0)) / columns.charPx) - 4;
    context.fillStyle = text;
    context.fillText(clip(`Old  ${names.old}`, nameChars), older?.hexAt ?? 0, 12);
    context.fillText(clip(`New  ${names.new}`, nameChars), newer?.hexAt ?? 0, 12);
    context.fillStyle = dim;
    context.fillText('Address', columns.addressAt, 30);
    const numbers = hexLine((byte) => byteDigits(byte, ''));
    for (const { hexAt, textAt } of columns.panes) {
      context.fillText(numbers, hexAt, 30);
      if (textAt !== null) context.fillText('Text', textAt, 30);
    }
  }

  #paintRow(scene: HexScene, row: number, y: number, widthPx: number): void {
    const context = this.#context;
    const { columns } = this;
    const { map, pages, position, isFocused } = scene;
    const offset = row * rowBytes;
    const middle = y + rowPx / 2;
    if (this.#jumpRows.has(row)) this.#paintJump(y, widthPx);
    context.fillStyle = this.#colors.dim;
    context.fillText(
      addressDigitsText(map.addressAt(offset), this.#digits),
      columns.addressAt,
      middle,
    );
    const bytes = readRow(pages, offset);
    const waiting = hexLine(() => '··');
    for (const [side, { hexAt, textAt }] of columns.panes.entries()) {
      if (!bytes) {
        context.fillText(waiting, hexAt, middle);
        continue;
      }
      const own = side === 0 ? bytes.old : bytes.new;
      this.#paintMarks(bytes.states, own, hexAt, textAt, y);
      context.fillStyle = this.#colors.text;
      context.fillText(
        hexLine((byte) => byteDigits(own[byte] ?? -1, '  ')),
        hexAt,
        middle,
      );
      if (textAt !== null) context.fillText(own.map(byteCharacter).join(''), textAt, middle);
    }
    if (bytes) {
      context.fillStyle = this.#colors.text;
      context.fillText(rowMark(bytes.states), columns.markAt, middle);
    }
    if (position.cursor >= offset && position.cursor < offset + rowBytes)
      this.#paintCursor(position.cursor - offset, y, isFocused);
  }

  /** Tint and line: changed bytes are underlined, added ones lined above and below, removed ones underlined in dashes. */
  #paintMarks(
    states: readonly ByteState[],
    own: readonly number[],
    hexAt: number,
    textAt: number | null,
    y: number,
  ): void {
    const { charPx } = this.columns;
    for (let byte = 0; byte < rowBytes; byte++) {
      const state = states[byte];
      if (state === undefined || state === 'same' || state === 'none' || (own[byte] ?? -1) < 0)
        continue;
      this.#paintMark(state, hexAt + byteChars(byte) * charPx, 2 * charPx, y);
      if (textAt !== null) this.#paintMark(state, textAt + byte * charPx, charPx, y);
    }
  }

  #paintMark(state: Exclude<ByteState, 'same' | 'none'>, x: number, width: number, y: number) {
    const context = this.#context;
    context.fillStyle = this.#colors[state];
    context.fillRect(x - 1, y + 1, width + 2, rowPx - 2);
    context.fillStyle = this.#colors.text;
    if (state === 'changed') context.fillRect(x, y + rowPx - 3, width, 1.5);
    else if (state === 'removed')
      for (let at = 0; at < width; at += dashPx) context.fillRect(x + at, y + rowPx - 3, 2, 1.5);
    else {
      context.fillRect(x - 1, y + 1, width + 2, 1);
      context.fillRect(x - 1, y + rowPx - 2, width + 2, 1);
    }
  }

  #paintJump(y: number, widthPx: number): void {
    const context = this.#context;
    context.strokeStyle = this.#colors.dim;
    context.lineWidth = 1;
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(0, Math.round(y) + 0.5);
    context.lineTo(widthPx, Math.round(y) + 0.5);
    context.stroke();
    context.setLineDash([]);
  }

  #paintCursor(byte: number, y: number, isFocused: boolean): void {
    const context = this.#context;
    const { charPx, panes } = this.columns;
    context.strokeStyle = this.#colors.cursor;
    context.lineWidth = isFocused ? 2 : 1;
    for (const { hexAt, textAt } of panes) {
      const x = hexAt + byteChars(byte) * charPx;
      context.strokeRect(x - 2, y + 1, 2 * charPx + 4, rowPx - 2);
      if (textAt !== null)
        context.strokeRect(textAt + byte * charPx - 1, y + 1, charPx + 2, rowPx - 2);
    }
  }
}

/** A line of 16 bytes with a wider gap in the middle. */
function hexLine(digitsOf: (byte: number) => string): string {
  let line = '';
  for (let byte = 0; byte < rowBytes; byte++) {
    if (byte === rowBytes / 2) line += ' ';
    line += `${digitsOf(byte)} `;
  }
  return line;
}

const clip = (text: string, chars: number): string =>
  text.length <= chars ? text : `${text.slice(0, Math.max(1, chars - 1))}…`;
