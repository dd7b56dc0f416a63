import {
  AVRClock,
  avrInstruction,
  AVRUSART,
  AVRWatchdog,
  clockConfig,
  CPU,
  usart0Config,
  watchdogConfig,
} from 'avr8js';

/** Size of the flash, in bytes. */
export const flashBytes = 32 * 1024;
const clockHz = 16_000_000;
const cyclesPerMs = clockHz / 1000;
const sramBytes = 2048;
const pageBytes = 128;
/** Time of a page erase or write (ATmega328P datasheet, "SPM programming time", typical of 3.7 to 4.5 ms). */
const pageMs = 3.7;
const resetFlags = 0x54;
const externalReset = 0x02;
const watchdogReset = 0x08;
const spmControl = 0x57;
const spm = { enable: 0x01, erase: 0x02, write: 0x04, enableReading: 0x10, busy: 0x40 } as const;
const spmOpcode = 0x95e8;
const uartComplete = 0x80;
/** How far the two speeds of a line may be apart (datasheet, "USART", with 8 data bits). */
const mostRateError = 0.045;
/** What the receiver holds: two bytes, and a third in its shift register (datasheet, "USART", receiver). */
const receiverBytes = 3;

/** A core whose resets are told, so that they can be what they are on silicon. */
class ResettableCpu extends CPU {
  onReset: (() => void) | null = null;
  override reset(): void {
    super.reset();
    this.onReset?.();
  }
}

/** An ATmega328P at 16 MHz with its boot section: avr8js, and the self-programming and the receiver's buffer that it leaves out. */
export class Atmega328p {
  readonly program = new Uint16Array(flashBytes / 2).fill(0xffff);
  readonly #bootWord: number;
  readonly #transmit: (byte: number) => void;
  #cpu = new ResettableCpu(this.program, sramBytes);
  #usart = new AVRUSART(this.#cpu, usart0Config, clockHz);
  #page = new Uint16Array(pageBytes / 2).fill(0xffff);
  #wantsWatchdogReset = false;
  /** What the host sends, with the cycle at which each byte is there. */
  #incoming: { readonly byte: number; readonly cycle: number }[] = [];
  #received: number[] = [];

  constructor(bootAddress: number, transmit: (byte: number) => void) {
    this.#bootWord = bootAddress / 2;
    this.#transmit = transmit;
    this.#start(externalReset);
  }

  /** RESET was low: the bootloader begins. */
  resetByPin(): void {
    this.#incoming = [];
    this.#received = [];
    this.#start(externalReset);
  }

  /** Bytes that arrive one after the other from now on, each a tenth of `baudRate` of a second long. */
  receive(bytes: Uint8Array, baudRate: number): void {
    const perByte = (10 * clockHz) / baudRate;
    let cycle = Math.max(this.#cpu.cycles, this.#incoming.at(-1)?.cycle ?? 0);
    for (const byte of bytes) {
      cycle += perByte;
      this.#incoming.push({ byte: this.garbledAt(baudRate, byte), cycle });
    }
  }

  /** What the other end of the line sees of a byte when its speed is `baudRate`. */
  garbledAt(baudRate: number, byte: number): number {
    const isClose = Math.abs(this.#usart.baudRate / baudRate - 1) < mostRateError;
    return isClose || !this.#usart.rxEnable ? byte : ((byte << 1) ^ 0xff) & 0xff;
  }

  /** Runs for so many milliseconds of its own time. */
  run(ms: number): void {
    let cpu = this.#cpu;
    const end = cpu.cycles + ms * cyclesPerMs;
    while (cpu.cycles < end) {
      if (this.program[cpu.pc] === spmOpcode) this.#selfProgram();
      avrInstruction(cpu);
      cpu.tick();
      if (this.#incoming.length > 0 || this.#received.length > 0) this.#feed();
      if (this.#wantsWatchdogReset) {
        this.#start(watchdogReset);
        cpu = this.#cpu;
      }
    }
  }

  /** A new core on the same flash, at the bootloader, with the cause of the reset. */
  #start(cause: number): void {
    const { cycles } = this.#cpu;
    const cpu = new ResettableCpu(this.program, sramBytes);
    cpu.cycles = cycles;
    cpu.pc = this.#bootWord;
    cpu.data[resetFlags] = cause;
    this.#cpu = cpu;
    this.#usart = new AVRUSART(cpu, usart0Config, clockHz);
    this.#usart.onByteTransmit = this.#transmit;
    this.#wantsWatchdogReset = false;
    // The watchdog hooks itself into the core.
    void new AVRWatchdog(cpu, watchdogConfig, new AVRClock(cpu, clockHz, clockConfig));
    cpu.onReset = () => {
      this.#wantsWatchdogReset = true;
    };
  }

  #feed(): void {
    const cpu = this.#cpu;
    while (this.#incoming[0] && this.#incoming[0].cycle <= cpu.cycles) {
      const { byte } = this.#incoming.shift() ?? { byte: 0 };
      // What finds the receiver full, or off, is lost.
      if (this.#usart.rxEnable && this.#received.length < receiverBytes) this.#received.push(byte);
    }
    const isFree = ((cpu.data[usart0Config.UCSRA] ?? 0) & uartComplete) === 0;
    if (!isFree || !this.#usart.rxEnable) return;
    const byte = this.#received.shift();
    if (byte !== undefined) this.#usart.writeByte(byte, true);
  }

  /** SPM: fills the page buffer, or erases or writes a page while the boot section runs on. */
  #selfProgram(): void {
    const cpu = this.#cpu;
    const command = cpu.data[spmControl] ?? 0;
    const address = cpu.dataView.getUint16(30, true);
    const firstWord = (address - (address % pageBytes)) / 2;
    const set = (value: number) => {
      cpu.data[spmControl] = value;
    };
    if (command & spm.enableReading) {
      this.#page.fill(0xffff);
      return set(0);
    }
    if ((command & (spm.erase | spm.write)) === 0) {
      this.#page[(address % pageBytes) >> 1] = cpu.dataView.getUint16(0, true);
      return set(command & ~spm.enable);
    }
    for (let at = 0; at < pageBytes / 2; at++) {
      const old = this.program[firstWord + at] ?? 0;
      // Programming clears bits only.
      this.program[firstWord + at] = command & spm.erase ? 0xffff : old & (this.#page[at] ?? 0);
    }
    if (command & spm.write) this.#page.fill(0xffff);
    set(spm.busy | spm.enable);
    cpu.addClockEvent(() => set(spm.busy), pageMs * cyclesPerMs);
  }
}
