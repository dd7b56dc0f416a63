import { type AreaMap, lastAtMost, rowBytes } from '../../../../shared/diff/areas.ts';
import type { ChangedRun } from '../../../../shared/domain/image-diff.ts';
import { hexText } from '../../../widgets/format-text.ts';

/** Rows that stay in sight above and below a place that was jumped to. */
const marginRows = 3;

/** Where the panes are: the row at the top, the byte under the cursor; both panes always together. */
export interface HexPosition {
  /** May lie between two rows while scrolling. */
  readonly topRow: number;
  /** Offset in the areas laid end to end. */
  readonly cursor: number;
  readonly visibleRows: number;
  /** Where the last move went to. */
  readonly ahead: -1 | 0 | 1;
}

/** Moves through two images of any size; whoever draws subscribes. */
export class HexNavigator {
  readonly map: AreaMap;
  readonly rows: number;
  /** Offsets at which the runs begin, ascending. */
  readonly #runs: readonly number[];
  readonly #listeners = new Set<() => void>();
  #position: HexPosition = { topRow: 0, cursor: 0, visibleRows: 1, ahead: 0 };

  constructor(map: AreaMap, runs: readonly Pick<ChangedRun, 'start'>[]) {
    this.map = map;
    this.rows = map.sizeBytes / rowBytes;
    this.#runs = runs.map(({ start }) => map.offsetOf(start) ?? 0);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly position = (): HexPosition => this.#position;

  get lastTopRow(): number {
    return Math.max(0, this.rows - this.#position.visibleRows);
  }

  resize(visibleRows: number): void {
    if (visibleRows !== this.#position.visibleRows)
      this.#set({ visibleRows: Math.max(1, visibleRows) });
  }

  /** Scrolls without moving the cursor. */
  scrollTo(topRow: number): void {
    const next = Math.max(0, Math.min(this.lastTopRow, topRow));
    const ahead = Math.sign(next - this.#position.topRow) as -1 | 0 | 1;
    if (ahead !== 0) this.#set({ topRow: next, ahead });
  }

  scrollBy(rows: number): void {
    this.scrollTo(this.#position.topRow + rows);
  }

  /** Moves the cursor and brings it into sight. */
  moveTo(offset: number, margin = 0): void {
    const cursor = Math.max(0, Math.min(this.map.sizeBytes - 1, offset));
    const { topRow, visibleRows, cursor: before } = this.#position;
    const row = Math.floor(cursor / rowBytes);
    const room = Math.min(margin, Math.floor((visibleRows - 1) / 2));
    let top = topRow;
    if (row < topRow + room) top = row - room;
    else if (row > topRow + visibleRows - 1 - room) top = row - visibleRows + 1 + room;
    top = Math.max(0, Math.min(this.lastTopRow, top));
    this.#set({ cursor, topRow: top, ahead: Math.sign(cursor - before) as -1 | 0 | 1 });
  }

  /** Goes to the next or previous run; false when there is none. */
  toChange(direction: 1 | -1): boolean {
    const { cursor } = this.#position;
    const index =
      direction > 0
        ? lastAtMost(this.#runs, (start) => start, cursor) + 1
        : lastAtMost(this.#runs, (start) => start, cursor - 1);
    const offset = this.#runs[index];
    if (offset === undefined) return false;
    this.moveTo(offset, marginRows);
    return true;
  }

  /** Goes to an address; a sentence says why it cannot be gone to. */
  toAddress(address: number): string | null {
    const offset = this.map.offsetOf(address);
    if (offset === null) return this.#outside(address);
    this.moveTo(offset, marginRows);
    return null;
  }

  /** Carries out a key of the panes; false for a key that is none of theirs. */
  press(key: string, withCtrl: boolean): boolean {
    const { cursor, visibleRows } = this.#position;
    const rowStart = cursor - (cursor % rowBytes);
    const page = Math.max(1, Math.floor(visibleRows) - 1) * rowBytes;
    const targets: Record<string, number> = {
      ArrowLeft: cursor - 1,
      ArrowRight: cursor + 1,
      ArrowUp: cursor - rowBytes,
      ArrowDown: cursor + rowBytes,
      PageUp: cursor - page,
      PageDown: cursor + page,
      Home: withCtrl ? 0 : rowStart,
      End: withCtrl ? this.map.sizeBytes - 1 : rowStart + rowBytes - 1,
    };
    const target = targets[key];
    if (target === undefined) return false;
    // A row up or down keeps its column, and stays where there is none.
    const keepsColumn = key.startsWith('Page') || key === 'ArrowUp' || key === 'ArrowDown';
    const column = cursor % rowBytes;
    if (keepsColumn && target < 0) this.moveTo(column);
    else if (keepsColumn && target >= this.map.sizeBytes)
      this.moveTo(this.map.sizeBytes - rowBytes + column);
    else this.moveTo(target);
    return true;
  }

  #outside(address: number): string {
    const { areas } = this.map;
    const [first, last] = [areas[0], areas.at(-1)];
    if (!first || !last) return 'The images are empty.';
    const end = last.start + last.sizeBytes - 1;
    if (address < first.start || address > end)
      return `${hexText(address)} is outside: the images go from ${hexText(first.start)} to ${hexText(end)}.`;
    const next = areas[lastAtMost(areas, ({ start }) => start, address) + 1] ?? last;
    return `Neither image has bytes at ${hexText(address)}; the next are at ${hexText(next.start)}.`;
  }

  #set(change: Partial<HexPosition>): void {
    this.#position = { ...this.#position, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Reads an address as people write it, with or without `0x` and `_`; null when it is not hexadecimal. */
export function parseAddress(text: string): number | null {
  const digits = text.trim().replace(/^0x/i, '').replaceAll('_', '');
  if (!/^[0-9a-f]{1,13}$/i.test(digits)) return null;
  return Number.parseInt(digits, 16);
}
