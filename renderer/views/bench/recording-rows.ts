/** One row of the recording viewer. */
export interface RecordingRow {
  /** Milliseconds since the recording began; only on the first row of a piece of traffic. */
  readonly timeMs: number | null;
  readonly kind: 'rx' | 'tx' | 'note' | 'damaged';
  /** Up to 16 bytes as `79 1f …`; empty for notes. */
  readonly hex: string;
  /** The same bytes as text, with a dot for what cannot be shown, or the note. */
  readonly text: string;
}

interface Piece {
  readonly timeMs: number;
  readonly kind: 'rx' | 'tx';
  readonly bytes: number[];
}

const rowBytes = 16;
const maxTextChars = 160;
/** Pieces of one direction this close are one: a serial driver hands over bytes as they come. */
const joinGapMs = 2;

/** Reads a JSON Lines serial recording into rows of up to 16 bytes; a damaged line is a row that says so. */
export function bytesRows(recording: string): readonly RecordingRow[] {
  return readPieces(recording).flatMap((item): RecordingRow[] => {
    if (!('bytes' in item)) return [item];
    const rows: RecordingRow[] = [];
    for (let at = 0; at < item.bytes.length; at += rowBytes) {
      const bytes = item.bytes.slice(at, at + rowBytes);
      rows.push({
        timeMs: at === 0 ? item.timeMs : null,
        kind: item.kind,
        hex: bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
        text: bytes.map(shown).join(''),
      });
    }
    return rows;
  });
}

/** Notes, and what the board sent that is text: its boot log, line by line. */
export function textRows(recording: string): readonly RecordingRow[] {
  return readPieces(recording).flatMap((item): RecordingRow[] => {
    if (!('bytes' in item)) return [item];
    if (item.kind === 'tx' || !isText(item.bytes)) return [];
    const lines = String.fromCharCode(...item.bytes.slice(0, 65_536)).split(/\r\n|\n|\r/);
    return lines
      .filter((line) => line !== '')
      .map((line, index) => ({
        timeMs: index === 0 ? item.timeMs : null,
        kind: item.kind,
        hex: '',
        text: line.slice(0, maxTextChars),
      }));
  });
}

function readPieces(recording: string): readonly (Piece | RecordingRow)[] {
  const items: (Piece | RecordingRow)[] = [];
  let lastMs = 0;
  for (const [index, line] of recording.split('\n').entries()) {
    if (line.trim() === '') continue;
    const entry = readEntry(line);
    if (entry === null) {
      items.push({
        timeMs: null,
        kind: 'damaged',
        hex: '',
        text: `Line ${index + 1} of the recording cannot be read.`,
      });
      continue;
    }
    const last = items.at(-1);
    const isNear = entry.timeMs - lastMs <= joinGapMs && !isAnswer(last);
    if (isNear && last && 'bytes' in last && 'bytes' in entry && last.kind === entry.kind)
      last.bytes.push(...entry.bytes);
    else items.push(entry);
    lastMs = entry.timeMs;
  }
  return items;
}

/** ACK or NACK of the bootloader (AN3155 2), which is no part of a boot log that follows at once. */
function isAnswer(item: Piece | RecordingRow | undefined): boolean {
  if (!item || !('bytes' in item) || item.bytes.length !== 1) return false;
  return item.bytes[0] === 0x79 || item.bytes[0] === 0x1f;
}

function readEntry(
  line: string,
): Piece | (RecordingRow & { readonly timeMs: number; readonly kind: 'note' }) | null {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof entry !== 'object' || entry === null) return null;
  const { t, dir, hex, text } = entry as Record<'t' | 'dir' | 'hex' | 'text', unknown>;
  if (typeof t !== 'number') return null;
  if (dir === 'note' && typeof text === 'string')
    return { timeMs: t, kind: 'note', hex: '', text: text.slice(0, maxTextChars) };
  if ((dir !== 'rx' && dir !== 'tx') || typeof hex !== 'string') return null;
  if (!/^([0-9a-f]{2})*$/i.test(hex)) return null;
  const bytes = hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return { timeMs: t, kind: dir, bytes };
}

const shown = (byte: number): string =>
  byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';

/** Text is at least four characters long and has no control character but line ends and tabs. */
function isText(bytes: readonly number[]): boolean {
  return (
    bytes.length >= 4 &&
    bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || [0x09, 0x0a, 0x0d].includes(byte))
  );
}
