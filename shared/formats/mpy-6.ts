import {
  checkNumber,
  codeKind,
  ElementBudget,
  type MpyContent,
  MpyDamage,
  readCount,
  readText,
  skipRelocations,
  viperScope,
} from './mpy-content.ts';
import type { SourceCursor } from './source-cursor.ts';

/** Feature bit: flags of the native architecture follow the header (MicroPython 1.26 and newer). */
const architectureFlags = 0x40;
/** Types of constants; those below 5 have no content. */
const constant = { text: 5, bytes: 6, integer: 7, float: 8, complex: 9, tuple: 10 } as const;

/**
 * Walks the content of a version 6 file from behind its header: string table, constant table, code
 * objects with their children. @throws ContentEnd | NumberTooLarge | MpyDamage
 */
export async function walkMpy6(cursor: SourceCursor, features: number): Promise<MpyContent> {
  await cursor.prepare();
  if ((features & architectureFlags) !== 0) cursor.bigEndianVarint();
  const strings = readCount(cursor, 'strings');
  const constants = readCount(cursor, 'constants');
  let sourceName = '';
  for (let index = 0; index < strings; index += 1) {
    await cursor.prepare();
    const name = await readString(cursor);
    if (index === 0) sourceName = name;
  }
  const walker = new CodeWalker(cursor);
  for (let index = 0; index < constants; index += 1) await walker.constant(0);
  await walker.code(0);
  return { sourceName, strings, codeObjects: walker.codeObjects, endOffset: cursor.offset };
}

/** One entry of the string table: a number of the interpreter's own strings, or text and a NUL. */
async function readString(cursor: SourceCursor): Promise<string> {
  const header = cursor.bigEndianVarint();
  if (header % 2 === 1) return '';
  const text = readText(cursor, header / 2);
  await endText(cursor);
  return text;
}

async function endText(cursor: SourceCursor): Promise<void> {
  await cursor.prepare();
  const offset = cursor.offset;
  if (cursor.byte() !== 0) throw new MpyDamage('a text does not end with NUL', offset);
}

class CodeWalker {
  readonly #cursor: SourceCursor;
  readonly #budget = new ElementBudget();
  codeObjects = 0;

  constructor(cursor: SourceCursor) {
    this.#cursor = cursor;
  }

  async constant(depth: number): Promise<void> {
    const cursor = this.#cursor;
    this.#budget.spend(depth, cursor.offset);
    await cursor.prepare();
    const offset = cursor.offset;
    const type = cursor.byte();
    if (type < constant.text) return;
    if (type > constant.tuple) throw new MpyDamage(`constant of type ${type}`, offset);
    const length = cursor.bigEndianVarint();
    if (type === constant.tuple) {
      for (let index = 0; index < length; index += 1) await this.constant(depth + 1);
    } else if (type === constant.text || type === constant.bytes) {
      cursor.skip(length);
      await endText(cursor);
    } else {
      const kinds = {
        [constant.integer]: 'i',
        [constant.float]: 'f',
        [constant.complex]: 'c',
      } as const;
      checkNumber(cursor, length, kinds[type as 7 | 8 | 9]);
    }
  }

  async code(depth: number): Promise<void> {
    const cursor = this.#cursor;
    this.#budget.spend(depth, cursor.offset);
    this.codeObjects += 1;
    await cursor.prepare();
    const header = cursor.bigEndianVarint();
    cursor.skip(Math.floor(header / 8));
    await cursor.prepare();
    if (header % 4 === codeKind.nativePython) cursor.bigEndianVarint();
    else if (header % 4 === codeKind.viper) await this.#viper();
    else if (header % 4 === codeKind.assembler) {
      // Scope flags, number of arguments, their types.
      for (let field = 0; field < 3; field += 1) cursor.bigEndianVarint();
    }
    if (Math.floor(header / 4) % 2 === 0) return;
    await cursor.prepare();
    const children = readCount(cursor, 'inner code objects');
    for (let index = 0; index < children; index += 1) await this.code(depth + 1);
  }

  async #viper(): Promise<void> {
    const cursor = this.#cursor;
    const flags = cursor.bigEndianVarint();
    const dataBytes = (flags & viperScope.readOnlyData) === 0 ? 0 : cursor.bigEndianVarint();
    if ((flags & viperScope.zeroedData) !== 0) cursor.bigEndianVarint();
    cursor.skip(dataBytes);
    if ((flags & viperScope.relocations) !== 0) await skipRelocations(cursor, this.#budget);
  }
}
