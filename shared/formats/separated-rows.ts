/** One row of a table; `line` counts from 1 and names where the row begins. */
export interface SeparatedRow {
  readonly line: number;
  /** Without the spaces around them. */
  readonly cells: readonly string[];
}

/** What a spreadsheet makes of a long number, losing its last digits. */
export const roundedNumber = /^\d([.,]\d+)?E\+?\d+$/i;

/**
 * The rows of comma, semicolon or tab separated text (RFC 4180 quoting), whatever its line ends,
 * without a byte order mark and without rows that are empty. The first line tells the separator.
 */
export function separatedRows(text: string): SeparatedRow[] {
  const start = text.startsWith('\uFEFF') ? 1 : 0;
  const firstLine = /^[^\r\n]*/.exec(text.slice(start))?.[0] ?? '';
  const separator = [',', ';', '\t'].find((candidate) => firstLine.includes(candidate)) ?? ',';
  const rows: SeparatedRow[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let rowLine = 1;
  const endRow = (): void => {
    cells.push(cell.trim());
    if (cells.some((value) => value !== '')) rows.push({ line: rowLine, cells });
    cells = [];
    cell = '';
    rowLine = line;
  };
  for (let at = start; at < text.length; at++) {
    const char = text[at] ?? '';
    const endsLine = char === '\n' || (char === '\r' && text[at + 1] !== '\n');
    if (endsLine) line++;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') cell += text[++at];
      else quoted = false;
    } else if (char === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
    } else if (char === separator) {
      cells.push(cell.trim());
      cell = '';
    } else if (endsLine) endRow();
    else if (char !== '\r') cell += char;
  }
  endRow();
  return rows;
}
