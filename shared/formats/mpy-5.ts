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

/** Feature bit: some operations carry a byte in which the interpreter caches a look-up. */
const cachesLookups = 1;
const cachingOperations: ReadonlySet<number> = new Set([0x11, 0x12, 0x13, 0x18]);
/** Two bits for each high half of an operation: 0 no operand, 1 name, 2 number, 3 offset. */
const operandFormats = 0x3a4;
const operandKind = { name: 1, number: 2, offset: 3 } as const;
const noExtraByteMask = 0x9e;
const nameWindow = 32;

/** What the head of a function says about the parts that follow. */
interface FunctionHead {
  readonly argumentNames: number;
  readonly infoBytes: number;
  /** Bytes that the head itself takes. */
  readonly sizeBytes: number;
}

/**
 * Walks the content of a version 5 file from behind its header: code objects, each with its own names,
 * constants and children. @throws ContentEnd | NumberTooLarge | MpyDamage
 */
export async function walkMpy5(cursor: SourceCursor, features: number): Promise<MpyContent> {
  await cursor.prepare();
  const offset = cursor.offset;
  const window = cursor.bigEndianVarint();
  if (window > nameWindow) throw new MpyDamage(`a window of ${window} names`, offset);
  const walker = new CodeWalker(cursor, (features & cachesLookups) !== 0);
  await walker.code(0);
  const { sourceName, strings, codeObjects } = walker;
  return { sourceName, strings, codeObjects, endOffset: cursor.offset };
}

class CodeWalker {
  readonly #cursor: SourceCursor;
  readonly #budget = new ElementBudget();
  readonly #caches: boolean;
  sourceName = '';
  strings = 0;
  codeObjects = 0;

  constructor(cursor: SourceCursor, caches: boolean) {
    this.#cursor = cursor;
    this.#caches = caches;
  }

  async code(depth: number): Promise<void> {
    const cursor = this.#cursor;
    this.#budget.spend(depth, cursor.offset);
    this.codeObjects += 1;
    await cursor.prepare();
    const header = cursor.bigEndianVarint();
    const type = header % 4;
    const codeBytes = Math.floor(header / 4);
    let argumentNames = 0;
    let scope = 0;
    if (type === codeKind.bytecode) argumentNames = await this.#bytecode(codeBytes);
    else ({ argumentNames, scope } = await this.#native(type, codeBytes));
    if (type === codeKind.assembler) return;
    await cursor.prepare();
    const constants = readCount(cursor, 'constants');
    const children = readCount(cursor, 'inner code objects');
    for (let index = 0; index < argumentNames; index += 1) await this.#name();
    await cursor.prepare();
    if (type === codeKind.viper) {
      if ((scope & viperScope.readOnlyData) !== 0) cursor.skip(cursor.bigEndianVarint());
      await cursor.prepare();
      if ((scope & viperScope.zeroedData) !== 0) cursor.bigEndianVarint();
    }
    for (let index = 0; index < constants; index += 1) await this.#constant();
    for (let index = 0; index < children; index += 1) await this.code(depth + 1);
    if (type === codeKind.viper && (scope & viperScope.relocations) !== 0)
      await skipRelocations(cursor, this.#budget);
  }

  /** Passes over the code of a function; returns how many names of arguments follow. */
  async #bytecode(codeBytes: number): Promise<number> {
    const cursor = this.#cursor;
    const start = cursor.offset;
    const head = readFunctionHead(() => cursor.byte());
    const { infoBytes, sizeBytes, argumentNames } = head;
    const headBytes = sizeBytes + infoBytes;
    if (infoBytes < 4 || headBytes > codeBytes)
      throw new MpyDamage('the head of a function is larger than its code', start);
    await this.#functionNames();
    cursor.skip(infoBytes - 4);
    // Names take two bytes in memory, which the length of the code counts.
    for (let left = codeBytes - headBytes; left > 0; ) {
      this.#budget.spend(0, cursor.offset);
      await cursor.prepare();
      left -= await this.#operation();
      if (left < 0) throw new MpyDamage('the last operation of a function is cut', cursor.offset);
    }
    return argumentNames;
  }

  /** Passes over one operation; returns the bytes that it takes in memory. */
  async #operation(): Promise<number> {
    const cursor = this.#cursor;
    const code = cursor.byte();
    const format = (operandFormats >> (2 * (code >> 4))) & 3;
    if (format === operandKind.name) {
      await this.#name();
      if (!this.#caches || !cachingOperations.has(code)) return 3;
      await cursor.prepare();
      cursor.skip(1);
      return 4;
    }
    let sizeBytes = 1;
    if (format === operandKind.number) {
      let byte = 0x80;
      for (; (byte & 0x80) !== 0; sizeBytes += 1) {
        if (sizeBytes > 10)
          throw new MpyDamage('the number of an operation is absurd', cursor.offset);
        byte = cursor.byte();
      }
    }
    const rest = (format === operandKind.offset ? 2 : 0) + ((code & noExtraByteMask) === 0 ? 1 : 0);
    cursor.skip(rest);
    return sizeBytes + rest;
  }

  async #native(
    type: number,
    codeBytes: number,
  ): Promise<{ readonly argumentNames: number; readonly scope: number }> {
    const cursor = this.#cursor;
    const code = await this.#machineCode(codeBytes);
    await cursor.prepare();
    if (type !== codeKind.assembler) {
      const links = readCount(cursor, 'links');
      for (let index = 0; index < links; index += 1) {
        await cursor.prepare();
        cursor.bigEndianVarint();
        await this.#name();
      }
      await cursor.prepare();
    }
    if (type === codeKind.nativePython) {
      const offset = cursor.offset;
      let at = cursor.bigEndianVarint();
      const { argumentNames } = readFunctionHead(() => {
        const byte = code[at];
        if (byte === undefined)
          throw new MpyDamage('the head of a function is outside its code', offset);
        at += 1;
        return byte;
      });
      await this.#functionNames();
      return { argumentNames, scope: 0 };
    }
    const scope = cursor.bigEndianVarint();
    if (type === codeKind.assembler) {
      cursor.bigEndianVarint();
      cursor.bigEndianVarint();
    }
    return { argumentNames: 0, scope };
  }

  /** The head of a native function lies in its code, so that it has to be kept. */
  async #machineCode(sizeBytes: number): Promise<Uint8Array> {
    const cursor = this.#cursor;
    if (sizeBytes > cursor.leftBytes) cursor.skip(sizeBytes);
    if (sizeBytes > largestFunctionBytes)
      throw new MpyDamage(`a function of ${sizeBytes} bytes`, cursor.offset);
    const code = new Uint8Array(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 1) {
      if (at % 256 === 0) await cursor.prepare();
      code[at] = cursor.byte();
    }
    return code;
  }

  /** Every function names itself and its source file. */
  async #functionNames(): Promise<void> {
    await this.#name();
    const sourceName = await this.#name();
    if (this.sourceName === '') this.sourceName = sourceName;
  }

  /** A name: a number of the interpreter's own names, one of the last ones used, or a text. */
  async #name(): Promise<string> {
    const cursor = this.#cursor;
    await cursor.prepare();
    const offset = cursor.offset;
    const header = cursor.bigEndianVarint();
    if (header === 0) {
      cursor.skip(1);
      return '';
    }
    if (header % 2 === 1) {
      if (header >= 2 * nameWindow) throw new MpyDamage('a name points outside the window', offset);
      return '';
    }
    this.strings += 1;
    return readText(cursor, header / 2);
  }

  async #constant(): Promise<void> {
    const cursor = this.#cursor;
    this.#budget.spend(0, cursor.offset);
    await cursor.prepare();
    const offset = cursor.offset;
    const type = String.fromCharCode(cursor.byte());
    if (type === 'e') return;
    if (!'sbifc'.includes(type)) throw new MpyDamage(`constant of type "${type}"`, offset);
    const length = cursor.bigEndianVarint();
    if (type === 'i' || type === 'f' || type === 'c') checkNumber(cursor, length, type);
    else cursor.skip(length);
  }
}

/** Largest native function: code for microcontrollers has a few kilobytes. */
const largestFunctionBytes = 16 * 1024 * 1024;

/** Reads the two packed numbers that begin a function (py/bc.h, MP_BC_PRELUDE_SIG and _SIZE). */
function readFunctionHead(next: () => number): FunctionHead {
  let byte = next();
  let sizeBytes = 1;
  let positional = byte & 3;
  let keywordOnly = 0;
  for (let shift = 0; (byte & 0x80) !== 0; shift += 1, sizeBytes += 1) {
    if (shift > 6) throw new MpyDamage('the head of a function has no end', 0);
    byte = next();
    positional |= (byte & 4) << shift;
    keywordOnly |= ((byte & 8) >> 3) << shift;
  }
  let infoBytes = 0;
  let cellBytes = 0;
  for (let shift = 0; ; shift += 1) {
    if (shift > 4) throw new MpyDamage('the head of a function has no end', 0);
    byte = next();
    sizeBytes += 1;
    infoBytes |= ((byte & 0x7e) >> 1) << (6 * shift);
    cellBytes |= (byte & 1) << shift;
    if ((byte & 0x80) === 0) break;
  }
  return { argumentNames: positional + keywordOnly, infoBytes: infoBytes + cellBytes, sizeBytes };
}
