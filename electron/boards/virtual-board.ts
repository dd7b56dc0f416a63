import type { BoardFault } from '../../shared/domain/bench-names.ts';

/** How far the clock of the host's timers may be off before the board gives up making good for it. */
const mostLateMs = 50;

/** What a board sends by itself as its supply comes up (stm32loader, issue 46: a zero on an STM32F413). */
const strayBytes = [0x00, 0xf8, 0x00] as const;
/** When the power fails, and for how long. */
const powerLoss = { afterBytes: 6000, offMs: 300 } as const;

/** How fast a board's line is. */
interface Wire {
  /** On the wire, with start, parity and stop. */
  readonly bitsPerByte: number;
  readonly baudRate: number;
  /** False: wire and device take no time. */
  readonly isPaced: boolean;
  /** Absent: the board is sound. */
  readonly fault?: BoardFault | undefined;
}

/** What every board is made with. */
export interface BoardSetup extends Pick<Wire, 'isPaced' | 'fault'> {
  /** Tells the board from others of its kind; absent: 0. */
  readonly unit?: number;
}

/**
 * A board on a serial line. Paced, it takes the time of the wire, in each direction, and of the device: a timer that
 * fires late or early does not add up, since the next answer is due by the board's clock, not by the timer's.
 */
export abstract class VirtualBoard {
  readonly #wire: Wire;
  #baudRate: number;
  readonly #dataListeners = new Set<(bytes: Uint8Array) => void>();
  readonly #unplugListeners = new Set<() => void>();
  #isUnplugged = false;
  #isOff = false;
  /** Until the power fails; negative when it has. */
  #bytesToPowerLoss: number = powerLoss.afterBytes;
  /** The board's time: when what it is working on has arrived, or is done. */
  #clockMs = 0;
  /** When each direction of the wire, and the work in the background, is free again. */
  #receivedMs = 0;
  #sentMs = 0;
  #backgroundMs = 0;
  /** How much later than due the last answer left. */
  #lateMs = 0;
  /** What is on its way to the host, in order. */
  readonly #leaving: { readonly bytes: Uint8Array; readonly dueMs: number }[] = [];
  /** Counts resets, so that nothing sent or run before one reaches the line after it. */
  #resets = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#baudRate = wire.baudRate;
  }

  /** Bytes from the host, at the board's time. */
  protected abstract take(bytes: Uint8Array): void;

  /** What a reset does to the board itself. */
  protected abstract restart(): void;

  /** The host opened the line: boards with a reset circuit on DTR reset. */
  opened(): void {}

  /** The host sets the modem lines; true means asserted. */
  setSignals(_signals: { readonly dtr: boolean; readonly rts: boolean }): void {}

  /** The host sets the speed of its side. */
  setBaudRate(_baudRate: number): void {}

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

  /** Takes the board away while the line is open; it loses its power. */
  unplug(): void {
    this.#isUnplugged = true;
    this.#resets++;
    for (const listener of this.#unplugListeners) listener();
  }

  /** Puts the board back with power and a new line. */
  plugIn(): void {
    this.#isUnplugged = false;
    this.disconnect();
    this.reset();
  }

  get isUnplugged(): boolean {
    return this.#isUnplugged;
  }

  /** Resets the board: what was on its way is lost. */
  reset(): void {
    this.#resets++;
    this.#leaving.length = 0;
    this.#lateMs = 0;
    this.#backgroundMs = 0;
    if (this.#wire.fault === 'stray-bytes') this.send(strayBytes);
    this.restart();
  }

  receive(bytes: Uint8Array): void {
    if (this.#isUnplugged || this.#isOff) return;
    if (this.#wire.fault === 'power-loss' && this.#losesPower(bytes.length)) return;
    const nowMs = performance.now() - this.#lateMs;
    this.#receivedMs = Math.max(this.#receivedMs, nowMs) + this.#wireMs(bytes.length);
    this.#clockMs = Math.max(this.#clockMs, this.#receivedMs);
    this.take(bytes);
  }

  protected get fault(): BoardFault | undefined {
    return this.#wire.fault;
  }

  /** Whether the power fails with these bytes; it does so once. */
  #losesPower(bytes: number): boolean {
    const was = this.#bytesToPowerLoss;
    this.#bytesToPowerLoss -= bytes;
    if (was < 0 || this.#bytesToPowerLoss >= 0) return false;
    this.#isOff = true;
    this.#resets++;
    this.#leaving.length = 0;
    setTimeout(() => {
      this.#isOff = false;
      this.reset();
    }, powerLoss.offMs);
    return true;
  }

  /** The speed of the board's side, from the next byte on. */
  protected switchBaudRate(baudRate: number): void {
    this.#baudRate = baudRate;
  }

  /** The device works for a while, and what follows waits for it. */
  protected busy(ms: number): void {
    this.#clockMs = Math.max(this.#clockMs, this.#backgroundMs) + ms;
  }

  /** The device works for a while beside the line, after what it is already doing so. */
  protected busyBeside(ms: number): void {
    this.#backgroundMs = Math.max(this.#clockMs, this.#backgroundMs) + ms;
  }

  protected send(bytes: Uint8Array | readonly number[]): void {
    let dueMs = performance.now();
    if (this.#wire.isPaced) {
      this.#sentMs = Math.max(this.#sentMs, this.#clockMs) + this.#wireMs(bytes.length);
      dueMs = this.#sentMs;
    }
    this.#leaving.push({ bytes: Uint8Array.from(bytes), dueMs });
    if (this.#leaving.length === 1) this.#scheduleNext();
  }

  protected sendText(text: string): void {
    this.send(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  }

  /** Calls back after a while of the board's time, unless it is reset before. */
  protected later(ms: number, work: () => void): void {
    const resets = this.#resets;
    setTimeout(
      () => {
        if (resets !== this.#resets) return;
        this.#wakeUp();
        work();
      },
      Math.max(0, this.#wire.isPaced ? this.#clockMs + ms - performance.now() : 0),
    );
  }

  /** Calls the work again and again until it says that it is over, or the board is reset. */
  protected whileUp(work: () => boolean): void {
    const resets = this.#resets;
    const turn = (): void => {
      if (resets !== this.#resets) return;
      this.#wakeUp();
      if (work()) setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** What the board does by itself happens now, not when it was last spoken to. */
  #wakeUp(): void {
    this.#clockMs = Math.max(this.#clockMs, performance.now());
  }

  #wireMs(bytes: number): number {
    return (bytes * this.#wire.bitsPerByte * 1000) / this.#baudRate;
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
}
