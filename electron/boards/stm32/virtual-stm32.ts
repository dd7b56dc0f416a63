import { Armv6m } from './armv6m.ts';

const ack = 0x79;
const nack = 0x1f;
const flashStart = 0x08000000;
const flashBytes = 128 * 1024;
const ramStart = 0x20000000;
const ramBytes = 20 * 1024;
const pageBytes = 1024;
const uartStatus = 0x40013800;
const uartData = 0x40013804;
const productId = 0x410;
const commands = [0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x43] as const;
const bitsPerByte = 11;
const baudRate = 115200;
/** Typical program time of a half-word and erase time of a page (STM32F103 datasheet, flash characteristics). */
const halfWordProgramMs = 0.0525;
const pageEraseMs = 20;
const stepsPerSlice = 20_000;
/** How far the clock of the host's timers may be off before the board gives up making good for it. */
const mostLateMs = 50;

type State = (bytes: number[]) => number;

const wireMs = (bytes: number): number => (bytes * bitsPerByte * 1000) / baudRate;

/**
 * An STM32F103 medium-density board: system bootloader on USART1 (AN3155), flash that programs only erased cells,
 * and a Cortex-M core that really runs what was flashed. Paced, it takes the time of the wire and of the flash:
 * a timer that fires late or early does not add up, since the next answer is due by the board's clock, not by the timer's.
 */
export class VirtualStm32 {
  readonly flash = new Uint8Array(flashBytes).fill(0xff);
  readonly #isPaced: boolean;
  readonly #dataListeners = new Set<(bytes: Uint8Array) => void>();
  readonly #unplugListeners = new Set<() => void>();
  #pending: number[] = [];
  #isSynced = false;
  #isRunning = false;
  #isUnplugged = false;
  /** When the line or the flash is free again, by the board's clock. */
  #freeMs = 0;
  /** How much later than due the last answer left. */
  #lateMs = 0;
  /** What is on its way to the host, in order. */
  readonly #leaving: { readonly bytes: Uint8Array; readonly dueMs: number }[] = [];
  /** Counts resets, so that nothing sent or run before one reaches the line after it. */
  #resets = 0;
  #expect: State | null = null;

  constructor(options: { readonly paced: boolean }) {
    this.#isPaced = options.paced;
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#dataListeners.add(listener);
  }

  onUnplug(listener: () => void): void {
    this.#unplugListeners.add(listener);
  }

  /** The host closed its end. */
  disconnect(): void {
    this.#dataListeners.clear();
    this.#unplugListeners.clear();
  }

  /** Takes the board away while the line is open. */
  unplug(): void {
    this.#isUnplugged = true;
    this.#isRunning = false;
    for (const listener of this.#unplugListeners) listener();
  }

  /** NRST with BOOT0 high: back to the bootloader. */
  reset(): void {
    this.#resets++;
    this.#pending = [];
    this.#leaving.length = 0;
    this.#lateMs = 0;
    this.#isSynced = false;
    this.#isRunning = false;
    this.#expect = null;
  }

  receive(bytes: Uint8Array): void {
    if (this.#isUnplugged) return;
    if (this.#isRunning) {
      // A PTY has no reset line: a synchronisation byte to a running board stands for pressing reset with BOOT0 high.
      if (bytes[bytes.length - 1] !== 0x7f) return;
      this.reset();
    }
    this.#occupy(wireMs(bytes.length));
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
        this.#send([ack]);
        continue;
      }
      const used = (this.#expect ?? this.#command)(this.#pending);
      if (used === 0) return;
      this.#pending.splice(0, used);
    }
  }

  readonly #command: State = ([code, complement]) => {
    if (code === undefined || complement === undefined) return 0;
    if ((code ^ complement) !== 0xff || !commands.some((known) => known === code)) {
      this.#send([nack]);
      return 2;
    }
    this.#send([ack]);
    if (code === 0x00) this.#send([commands.length, 0x22, ...commands, ack]);
    else if (code === 0x01) this.#send([0x22, 0, 0, ack]);
    else if (code === 0x02) this.#send([1, productId >> 8, productId & 0xff, ack]);
    else if (code === 0x43) this.#expect = this.#erasePages;
    else this.#expect = this.#addressOf(code);
    return 2;
  };

  #addressOf(code: number): State {
    return (bytes) => {
      if (bytes.length < 5) return 0;
      const [a = 0, b = 0, c = 0, d = 0, sum = 0] = bytes;
      const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      const inFlash = address >= flashStart && address < flashStart + flashBytes;
      if ((a ^ b ^ c ^ d) !== sum || !inFlash) return this.#refuse(5);
      this.#send([ack]);
      this.#expect =
        code === 0x11 ? this.#readAt(address) : code === 0x31 ? this.#writeAt(address) : null;
      if (code === 0x21) this.#run(address);
      return 5;
    };
  }

  #readAt(address: number): State {
    return ([count, complement]) => {
      if (count === undefined || complement === undefined) return 0;
      const start = address - flashStart;
      if ((count ^ complement) !== 0xff || start + count + 1 > flashBytes) return this.#refuse(2);
      this.#expect = null;
      this.#send([ack, ...this.flash.subarray(start, start + count + 1)]);
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
      for (let i = 0; i <= count; i++)
        this.flash[start + i] = (this.flash[start + i] ?? 0) & (frame[i + 1] ?? 0);
      this.#expect = null;
      this.#occupy(((count + 1) / 2) * halfWordProgramMs);
      this.#send([ack]);
      return count + 3;
    };
  }

  readonly #erasePages: State = (bytes) => {
    const [count, next] = bytes;
    if (count === undefined || next === undefined) return 0;
    if (count === 0xff) {
      if (next !== 0) return this.#refuse(2);
      this.flash.fill(0xff);
      this.#expect = null;
      this.#occupy(pageEraseMs);
      this.#send([ack]);
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
    for (const page of pages) this.flash.fill(0xff, page * pageBytes, (page + 1) * pageBytes);
    this.#expect = null;
    this.#occupy(pages.length * pageEraseMs);
    this.#send([ack]);
    return count + 3;
  };

  #refuse(used: number): number {
    this.#expect = null;
    this.#send([nack]);
    return used;
  }

  /** Uses the line or the flash for a while and returns when it is free again. */
  #occupy(ms: number): number {
    this.#freeMs = Math.max(this.#freeMs, performance.now() - this.#lateMs) + ms;
    return this.#freeMs;
  }

  #send(bytes: readonly number[]): void {
    const dueMs = this.#isPaced ? this.#occupy(wireMs(bytes.length)) : performance.now();
    this.#leaving.push({ bytes: Uint8Array.from(bytes), dueMs });
    if (this.#leaving.length === 1) this.#scheduleNext();
  }

  #scheduleNext(): void {
    const [next] = this.#leaving;
    if (!next) return;
    const resets = this.#resets;
    const deliver = (): void => {
      if (resets !== this.#resets) return;
      this.#leaving.shift();
      this.#lateMs = Math.min(mostLateMs, performance.now() - next.dueMs);
      for (const listener of this.#dataListeners) listener(next.bytes);
      this.#scheduleNext();
    };
    const leftMs = next.dueMs - performance.now();
    if (leftMs > 0) setTimeout(deliver, leftMs);
    else setImmediate(deliver);
  }

  /** Runs the image in slices so that the host's event loop goes on; a fault or a stop ends it silently, as on silicon. */
  #run(address: number): void {
    this.#isRunning = true;
    let line: number[] = [];
    const core = new Armv6m({
      regions: [
        { start: flashStart, bytes: this.flash.slice(), isWritable: false },
        { start: ramStart, bytes: new Uint8Array(ramBytes), isWritable: true },
      ],
      readDevice: (at) => (at === uartStatus ? 0xc0 : 0),
      writeDevice: (at, value) => {
        if (at === uartData) line.push(value & 0xff);
      },
    });
    core.reset(address);
    const resets = this.#resets;
    const slice = (): void => {
      if (!this.#isRunning || resets !== this.#resets) return;
      const isAlive = core.run(stepsPerSlice);
      if (line.length > 0) {
        this.#send(line);
        line = [];
      }
      if (isAlive) setImmediate(slice);
    };
    setImmediate(slice);
  }
}
