import { type BoardSetup, VirtualBoard } from '../virtual-board.ts';
import { CortexMcu } from './cortex-mcu.ts';

const ack = 0x79;
const nack = 0x1f;
const flashStart = 0x08000000;
const flashBytes = 128 * 1024;
const pageBytes = 1024;
const productId = 0x410;
const commands = [0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x43, 0x92] as const;
/** What read-out protection leaves of them (AN3155, each command). */
const commandsUnderProtection: readonly number[] = [0x00, 0x01, 0x02, 0x92];
/** What write protection covers from the start of the flash. */
const writeProtectedBytes = 4 * 1024;
/** The unique device id (RM0008 30.2). */
const uniqueIdAddress = 0x1fff_f7e8;
const firstUniqueId = [0x35, 0xff, 0xd8, 0x05, 0x4d, 0x4e, 0x34, 0x38, 0x20, 0x71, 0x22, 0x43];
const bitsPerByte = 11;
const baudRate = 115200;
/** Typical program time of a half-word and erase time of a page (STM32F103 datasheet, flash characteristics). */
const halfWordProgramMs = 0.0525;
const pageEraseMs = 20;

type State = (bytes: number[]) => number;

/**
 * An STM32F103 medium-density board: system bootloader on USART1 (AN3155), flash that programs only erased cells,
 * and a Cortex-M core that really runs what was flashed.
 */
export class VirtualStm32 extends VirtualBoard {
  readonly flash = new Uint8Array(flashBytes).fill(0xff);
  readonly #uniqueId: Uint8Array;
  #isReadProtected: boolean;
  #pending: number[] = [];
  #isSynced = false;
  #isRunning = false;
  #expect: State | null = null;

  constructor({ unit = 0, ...setup }: BoardSetup) {
    super({ bitsPerByte, baudRate, ...setup });
    this.#isReadProtected = setup.fault === 'read-protected';
    this.#uniqueId = Uint8Array.from(firstUniqueId, (byte, at) => (at === 0 ? byte + unit : byte));
  }

  /** DTR is wired to NRST, and BOOT0 is high. */
  override opened(): void {
    this.reset();
  }

  protected override restart(): void {
    this.#pending = [];
    this.#isSynced = false;
    this.#isRunning = false;
    this.#expect = null;
  }

  protected override take(bytes: Uint8Array): void {
    if (this.#isRunning) {
      // A PTY has no reset line: a synchronisation byte to a running board stands for pressing reset with BOOT0 high.
      if (bytes[bytes.length - 1] !== 0x7f) return;
      this.reset();
    }
    this.#pending.push(...bytes);
    this.#advance();
  }

  #advance(): void {
    for (;;) {
      if (!this.#isSynced) {
        const byte = this.#pending.shift();
        if (byte === undefined) return;
        if (byte !== 0x7f) continue;
        this.#isSynced = true;
        this.send([ack]);
        continue;
      }
      const used = (this.#expect ?? this.#command)(this.#pending);
      if (used === 0) return;
      this.#pending.splice(0, used);
    }
  }

  readonly #command: State = ([code, complement]) => {
    if (code === undefined || complement === undefined) return 0;
    const known: readonly number[] = this.#isReadProtected ? commandsUnderProtection : commands;
    if ((code ^ complement) !== 0xff || !known.includes(code)) {
      this.send([nack]);
      return 2;
    }
    this.send([ack]);
    if (code === 0x00) this.send([commands.length, 0x22, ...commands, ack]);
    else if (code === 0x01) this.send([0x22, 0, 0, ack]);
    else if (code === 0x02) this.send([1, productId >> 8, productId & 0xff, ack]);
    else if (code === 0x92) this.#unprotect();
    else if (code === 0x43) this.#expect = this.#erasePages;
    else this.#expect = this.#addressOf(code);
    return 2;
  };

  #addressOf(code: number): State {
    return (bytes) => {
      if (bytes.length < 5) return 0;
      const [a = 0, b = 0, c = 0, d = 0, sum = 0] = bytes;
      const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      const isUniqueId = code === 0x11 && address === uniqueIdAddress;
      const inFlash = address >= flashStart && address < flashStart + flashBytes;
      if ((a ^ b ^ c ^ d) !== sum || !(inFlash || isUniqueId)) return this.#refuse(5);
      this.send([ack]);
      this.#expect =
        code === 0x11
          ? this.#readAt(address, isUniqueId)
          : code === 0x31
            ? this.#writeAt(address)
            : null;
      if (code === 0x21) this.#run(address);
      return 5;
    };
  }

  /** Erases everything, takes the protection off and resets. */
  #unprotect(): void {
    this.flash.fill(0xff);
    this.#isReadProtected = false;
    this.busy(pageEraseMs);
    this.send([ack]);
    // Not by way of a reset of the line, which would take the last answer with it.
    this.restart();
  }

  #readAt(address: number, isUniqueId: boolean): State {
    return ([count, complement]) => {
      if (count === undefined || complement === undefined) return 0;
      const memory = isUniqueId ? this.#uniqueId : this.flash;
      const start = isUniqueId ? 0 : address - flashStart;
      if ((count ^ complement) !== 0xff || start + count + 1 > memory.length)
        return this.#refuse(2);
      this.#expect = null;
      this.send([ack, ...memory.subarray(start, start + count + 1)]);
      return 2;
    };
  }

  #writeAt(address: number): State {
    return (bytes) => {
      const count = bytes[0];
      if (count === undefined || bytes.length < count + 3) return 0;
      const frame = bytes.slice(0, count + 3);
      const start = address - flashStart;
      const fits = start + count + 1 <= flashBytes && address % 4 === 0 && (count + 1) % 4 === 0;
      if (!fits || frame.reduce((sum, byte) => sum ^ byte, 0) !== 0) return this.#refuse(count + 3);
      // Programming clears bits only; a cell that was not erased keeps its zeros.
      if (!this.#isWriteProtected(start))
        for (let i = 0; i <= count; i++)
          this.flash[start + i] = (this.flash[start + i] ?? 0) & (frame[i + 1] ?? 0);
      this.#expect = null;
      this.busy(((count + 1) / 2) * halfWordProgramMs);
      this.send([ack]);
      return count + 3;
    };
  }

  readonly #erasePages: State = (bytes) => {
    const [count, next] = bytes;
    if (count === undefined || next === undefined) return 0;
    if (count === 0xff) {
      if (next !== 0) return this.#refuse(2);
      this.flash.fill(0xff, this.fault === 'write-protected' ? writeProtectedBytes : 0);
      this.#expect = null;
      this.busy(pageEraseMs);
      this.send([ack]);
      return 2;
    }
    if (bytes.length < count + 3) return 0;
    const frame = bytes.slice(0, count + 3);
    const pages = frame.slice(1, count + 2);
    if (
      frame.reduce((sum, byte) => sum ^ byte, 0) !== 0 ||
      pages.some((page) => page * pageBytes >= flashBytes)
    )
      return this.#refuse(count + 3);
    for (const page of pages)
      if (!this.#isWriteProtected(page * pageBytes))
        this.flash.fill(0xff, page * pageBytes, (page + 1) * pageBytes);
    this.#expect = null;
    this.busy(pages.length * pageEraseMs);
    this.send([ack]);
    return count + 3;
  };

  /** Nothing is said of it when it is erased or written (AN2662). */
  #isWriteProtected(offset: number): boolean {
    return this.fault === 'write-protected' && offset < writeProtectedBytes;
  }

  #refuse(used: number): number {
    this.#expect = null;
    this.send([nack]);
    return used;
  }

  #run(address: number): void {
    this.#isRunning = true;
    const mcu = new CortexMcu(this.flash, address);
    this.whileUp(() => {
      const { isAlive, printed } = mcu.run();
      if (printed.length > 0) this.send(printed);
      return isAlive;
    });
  }
}
