import type { SourceCursor } from './source-cursor.ts';
import { decodeUtf8 } from './text.ts';

/** Two low bits of the number that begins a code object. */
export const codeKind = { bytecode: 0, nativePython: 1, viper: 2, assembler: 3 } as const;

/** Most parts of a file that are looked at: real ones have thousands. */
const mostElements = 1_000_000;
/** Deepest nesting of code objects or tuples. */
const mostDepth = 100;
/** Flags of the scope of a viper function. */
export const viperScope = { relocations: 0x10, readOnlyData: 0x20, zeroedData: 0x40 } as const;
const longestName = 200;

/** What a walk over a .mpy file found. */
export interface MpyContent {
  /** Name of the source file, as the compiler was told it. */
  readonly sourceName: string;
  readonly strings: number;
  readonly codeObjects: number;
  /** Offset behind the last code object. */
  readonly endOffset: number;
}

/** Told when the content contradicts the format. */
export class MpyDamage extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Bounds the work that one file can cause. */
export class ElementBudget {
  #spent = 0;

  /** Counts one element at this depth of nesting. @throws MpyDamage */
  spend(depth: number, offset: number): void {
    this.#spent += 1;
    if (depth > mostDepth || this.#spent > mostElements)
      throw new MpyDamage('it is nested too deeply or has too many parts', offset);
  }
}

/** Passes over the relocations of a viper function. @throws ContentEnd | MpyDamage */
export async function skipRelocations(cursor: SourceCursor, budget: ElementBudget): Promise<void> {
  for (;;) {
    budget.spend(0, cursor.offset);
    await cursor.prepare();
    const operation = cursor.byte();
    if (operation === 0xff) return;
    if (operation % 2 === 1) cursor.bigEndianVarint();
    const target = operation >> 1;
    if (target <= 5 && target % 2 === 1) cursor.bigEndianVarint();
  }
}

/** A count of elements that the file can hold. @throws MpyDamage */
export function readCount(cursor: SourceCursor, what: string): number {
  const offset = cursor.offset;
  const count = cursor.bigEndianVarint();
  if (count > mostElements) throw new MpyDamage(`it announces ${count} ${what}`, offset);
  return count;
}

/** Reads a text of `length` bytes if it is short, else passes over it. @throws ContentEnd | MpyDamage */
export function readText(cursor: SourceCursor, length: number): string {
  if (length > longestName) {
    cursor.skip(length);
    return '';
  }
  const offset = cursor.offset;
  const bytes = Uint8Array.from({ length }, () => cursor.byte());
  const text = decodeUtf8(bytes);
  if (text === null) throw new MpyDamage('a name is not UTF-8', offset);
  return text;
}

const digits = {
  i: /^-?\d+$/,
  f: /^[-+\d.eEinfa]+$/,
  c: /^[-+\d.eEinfaj]+$/,
} as const;

/** Checks the digits of a number constant. @throws ContentEnd | MpyDamage */
export function checkNumber(cursor: SourceCursor, length: number, kind: 'i' | 'f' | 'c'): void {
  const offset = cursor.offset;
  const text = readText(cursor, length);
  if (length <= longestName && !digits[kind].test(text))
    throw new MpyDamage('a number constant is no number', offset);
}
