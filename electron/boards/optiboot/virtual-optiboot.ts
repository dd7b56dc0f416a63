import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import type { BoardFault } from '../../../shared/domain/bench-names.ts';
import { VirtualBoard } from '../virtual-board.ts';
import { Atmega328p, flashBytes } from './atmega328p.ts';

const baudRate = 115_200;
/** How far the core may fall behind on a busy machine before it gives up making good for it. */
const mostBehindMs = 50;
/** The most of its own time that the core runs at once, so that the host's event loop goes on. */
const sliceMs = 4;
/** How long after the last exchange the core still runs without a pause. */
const activeMs = 300;

/** An Arduino Uno: a bootloader that really runs on an ATmega328P, in real time, since its watchdog counts. */
export class VirtualOptiboot extends VirtualBoard {
  readonly #mcu: Atmega328p;
  /** The time of the host at which the core's own time is `0`. */
  #ranUntilMs = 0;
  #lastExchangeMs = 0;
  #runs = 0;
  #hostBaudRate = baudRate;
  #isDtr = false;
  #sent: number[] = [];

  /** The bootloader's image lies at its addresses. */
  constructor(bootloader: FirmwareImage, fault?: BoardFault) {
    // The core's own UART keeps the time of the wire.
    super({ bitsPerByte: 10, baudRate, isPaced: false, fault });
    const start = Math.min(...bootloader.segments.map(({ address }) => address ?? 0));
    this.#mcu = new Atmega328p(start, (byte) =>
      this.#sent.push(this.#mcu.garbledAt(this.#hostBaudRate, byte)),
    );
    const bytes = new Uint8Array(this.#mcu.program.buffer);
    for (const segment of bootloader.segments) bytes.set(segment.bytes, segment.address ?? 0);
  }

  /** Opening asserts DTR, which pulls RESET through a capacitor. */
  override opened(): void {
    this.#isDtr = true;
    this.reset();
  }

  override setSignals({ dtr }: { readonly dtr: boolean; readonly rts: boolean }): void {
    if (dtr && !this.#isDtr) this.reset();
    this.#isDtr = dtr;
  }

  override setBaudRate(rate: number): void {
    this.#hostBaudRate = rate;
  }

  override disconnect(): void {
    super.disconnect();
    this.pause();
  }

  /** Nobody listens: the core stands still. */
  pause(): void {
    this.#runs++;
  }

  override unplug(): void {
    this.pause();
    super.unplug();
  }

  protected override restart(): void {
    this.#mcu.resetByPin();
    this.#sent = [];
    this.#ranUntilMs = performance.now();
    this.#lastExchangeMs = this.#ranUntilMs;
    const run = ++this.#runs;
    const turn = (): void => {
      if (run !== this.#runs) return;
      this.#catchUp();
      if (performance.now() - this.#lastExchangeMs < activeMs) setImmediate(turn);
      else setTimeout(turn, sliceMs);
    };
    turn();
  }

  protected override take(bytes: Uint8Array): void {
    this.#catchUp();
    this.#lastExchangeMs = performance.now();
    this.#mcu.receive(bytes, this.#hostBaudRate);
  }

  #catchUp(): void {
    const nowMs = performance.now();
    this.#ranUntilMs = Math.max(this.#ranUntilMs, nowMs - mostBehindMs);
    const ms = Math.min(sliceMs, nowMs - this.#ranUntilMs);
    this.#mcu.run(ms);
    this.#ranUntilMs += ms;
    if (this.#sent.length === 0) return;
    this.#lastExchangeMs = nowMs;
    this.send(this.#sent);
    this.#sent = [];
  }
}

/** Whether an image is a bootloader of this chip: in its boot section, which ends the flash. */
export function isBootloader({ segments }: FirmwareImage): boolean {
  return segments.every(
    ({ address, bytes }) =>
      address !== null && address >= flashBytes / 2 && address + bytes.length <= flashBytes,
  );
}
