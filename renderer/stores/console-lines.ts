import type { ConsoleBatch, ConsoleLine } from '../../shared/domain/console.ts';
import type { ConsoleForm } from '../../shared/domain/console-names.ts';

/** Rows that the window holds; the engine keeps more, and a capture keeps all. */
export const mostRows = 50_000;
const bytesPerRow = 16;

/** One row of the list: a line, or sixteen bytes of one. */
export interface ConsoleRow extends ConsoleLine {
  readonly key: string;
  /** The bytes of the row as characters, beside their hexadecimal digits. */
  readonly ascii?: string;
}

/** What the window holds of a console. */
export interface ConsoleRows {
  readonly rows: readonly ConsoleRow[];
  /** Rows that are no longer held here, or were gone before they were read. */
  readonly goneRows: number;
  /** Of the line without an end, the last rows of the list. */
  readonly tail: readonly ConsoleRow[];
}

export const noRows: ConsoleRows = { rows: [], goneRows: 0, tail: [] };

/** Adds a batch; the oldest rows make room for the newest. */
export function withBatch(held: ConsoleRows, batch: ConsoleBatch, form: ConsoleForm): ConsoleRows {
  const added = batch.lines.flatMap((line) => rowsOf(line, form));
  const tail = batch.tail ? rowsOf(batch.tail, form) : [];
  const goneRows = held.goneRows + batch.missedLines;
  if (added.length === 0) return { rows: held.rows, goneRows, tail };
  const excess = Math.max(0, held.rows.length + added.length - mostRows);
  return {
    rows: [...held.rows.slice(excess), ...added.slice(Math.max(0, added.length - mostRows))],
    goneRows: goneRows + excess,
    tail,
  };
}

function rowsOf(line: ConsoleLine, form: ConsoleForm): readonly ConsoleRow[] {
  if (form === 'text' || line.kind === 'note') return [{ ...line, key: `${line.n}` }];
  const bytes = line.text.split(' ');
  return Array.from({ length: Math.ceil(bytes.length / bytesPerRow) }, (_, row) => {
    const part = bytes.slice(row * bytesPerRow, (row + 1) * bytesPerRow);
    return { ...line, key: `${line.n}-${row}`, text: part.join(' '), ascii: asciiOf(part) };
  });
}

const asciiOf = (pairs: readonly string[]): string =>
  pairs
    .map((pair) => {
      const code = Number.parseInt(pair, 16);
      return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '·';
    })
    .join('');

/** Indexes of the rows that hold a text, in any case; none for an empty text. */
export function findRows(rows: readonly ConsoleRow[], text: string): readonly number[] {
  const wanted = text.toLowerCase();
  if (wanted === '') return [];
  return rows.flatMap((row, index) => (row.text.toLowerCase().includes(wanted) ? [index] : []));
}
