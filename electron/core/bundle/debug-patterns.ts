import type { Matcher, PatternMatch } from './pattern.ts';

const latin1 = (bytes: Buffer, from: number, to: number): string =>
  bytes.toString('latin1', Math.max(0, from), Math.min(bytes.length, to));

/** Traces that a build for developers leaves, in the form of the search for secrets. */
export const debugAnchors: readonly (readonly [fourBytes: string, matcher: Matcher])[] = [
  ['-dir', dirtyVersion],
  ...['ug b', 'ug B', 'UG B'].map(
    (text) => [text, phrase('debug.build', 'debug build', 3)] as const,
  ),
  ...['ship', 'SHIP'].map((text) => [text, phrase('debug.do-not-ship', 'do not ship', 7)] as const),
  ...['rust', 'RUST'].map(
    (text) => [text, phrase('debug.do-not-ship', 'do not trust', 8)] as const,
  ),
  ...['/hom', '/Use', '\\Use'].map((text) => [text, buildPath] as const),
  ...['JTAG', 'jtag'].map((text) => [text, jtag] as const),
  // BKPT 0xAB and what compilers put behind it: BX LR, MOV Rd, R0 or POP {…, PC}.
  ['\xab\xbe\x70\x47', semihosting],
  ...['\x02', '\x03', '\x04', '\x05', '\x06', '\x07'].map(
    (register) => [`\xab\xbe${register}\x46`, semihosting] as const,
  ),
  ...['\x08', '\x10', '\x30', '\x38', '\x70', '\x80', '\xb0', '\xf0'].map(
    (registers) => [`\xab\xbe${registers}\xbd`, semihosting] as const,
  ),
];

/** `v1.2-5-gabc123-dirty`, as `git describe --dirty` writes the version of edited sources. */
function dirtyVersion(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const version = /[\w.+-]*\d[\w.+-]*$/.exec(latin1(bytes, at - 64, at))?.[0];
  const mark = /^-dirty(?![a-z])/.exec(latin1(bytes, at, Math.min(end, at + 7)))?.[0];
  if (version === undefined || mark === undefined) return null;
  const found = version + mark;
  return { rule: 'image.dirty-build', found, start: at - version.length, end: at + mark.length };
}

/** Words in any case whose anchor begins `before` bytes behind their first. */
function phrase(rule: 'debug.build' | 'debug.do-not-ship', words: string, before: number): Matcher {
  return (bytes, at, end) => {
    const start = at - before;
    if (start < 0 || start + words.length > end) return null;
    const found = latin1(bytes, start, start + words.length);
    const outside =
      latin1(bytes, start - 1, start) +
      latin1(bytes, start + words.length, start + words.length + 1);
    if (found.toLowerCase() !== words || /[A-Za-z]/.test(outside)) return null;
    return { rule, found: lineAround(bytes, start, end), start, end: start + words.length };
  };
}

/** The printable text around a hit, at most 80 characters. */
function lineAround(bytes: Buffer, start: number, end: number): string {
  const before = /[\x20-\x7e]{0,30}$/.exec(latin1(bytes, start - 30, start))?.[0] ?? '';
  const after = /^[\x20-\x7e]*/.exec(latin1(bytes, start, Math.min(end, start + 50)))?.[0] ?? '';
  return (before + after).trim();
}

/** A path of the machine that built it: /home/NAME/, /Users/NAME/ or C:\Users\NAME\. */
function buildPath(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const from = bytes[at] === 0x5c ? at - 2 : at;
  const text = latin1(bytes, from, Math.min(end, at + 160));
  const path =
    /^(\/(home|Users)\/|[A-Za-z]:\\Users\\)[A-Za-z][\w.-]{0,31}[/\\][\w.][\x21-\x7e]+/.exec(
      text,
    )?.[0];
  if (path === undefined || /[\w.]/.test(latin1(bytes, from - 1, from))) return null;
  const found = path.length > 100 ? `${path.slice(0, 99)}…` : path;
  return { rule: 'debug.build-path', found, start: from, end: from + path.length };
}

function jtag(bytes: Buffer, at: number, end: number): PatternMatch | null {
  if (/\w/.test(latin1(bytes, at - 1, at) + latin1(bytes, at + 4, at + 5))) return null;
  return { rule: 'debug.jtag', found: lineAround(bytes, at, end), start: at, end: at + 4 };
}

/** The arguments are moved into R0 and R1 right before the breakpoint. */
function semihosting(bytes: Buffer, at: number): PatternMatch | null {
  const opcode = at < 2 ? 0 : (bytes[at - 1] ?? 0);
  const isBareCall = bytes[at + 2] === 0x70 && bytes[at + 3] === 0x47;
  const isMove = opcode === 0x46 || opcode === 0x20 || opcode === 0x21 || opcode === 0x49;
  if (!isBareCall && !isMove) return null;
  return { rule: 'debug.semihosting', found: 'BKPT 0xAB', start: at, end: at + 2 };
}
