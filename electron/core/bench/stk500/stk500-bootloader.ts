import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from '../../../../shared/domain/problem.ts';
import type { ByteChannel } from '../byte-channel.ts';

const space = 0x20;
const inSync = 0x14;
const ok = 0x10;
const command = {
  sync: 0x30,
  parameter: 0x41,
  signature: 0x75,
  address: 0x55,
  program: 0x64,
  read: 0x74,
  leave: 0x51,
} as const;
const flashMemory = 0x46;
const majorVersion = 0x81;
const minorVersion = 0x82;
/** The chip starts 65 ms after its reset (fuses of Arduino boards); the bootloader then listens for a second. */
const timeouts = { answerMs: 1000, syncMs: 800, lowMs: 50, startMs: 100 } as const;
const resets = 5;
/** Older bootloaders, as ATmegaBOOT, speak this rate, flash a LED before they listen, and then wait for longer. */
const slow = { baudRate: 57_600, fromReset: 3, syncMs: 3000 } as const;

/** Client of STK500 version 1 as Arduino bootloaders speak it (Atmel AVR061; optiboot.c). */
export class Stk500Bootloader {
  readonly #channel: ByteChannel;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  /** Resets the board and synchronises, also at the rate of older bootloaders; returns the rate. @throws ProblemError `no-bootloader` */
  async connect(baudRate: number): Promise<number> {
    const { link } = this.#channel;
    for (let reset = 0; reset < resets; reset++) {
      const rate = reset < slow.fromReset ? baudRate : slow.baudRate;
      if (reset === slow.fromReset) await link.setLine({ baudRate: rate, parity: 'none' });
      // After a failed synchronisation the bootloader has left: each attempt needs a reset of its own.
      if (reset > 0) await this.#pulseReset();
      const syncMs = reset < slow.fromReset ? timeouts.syncMs : slow.syncMs;
      if (await this.#synchronise(syncMs)) return rate;
    }
    throw problem(
      'no-bootloader',
      'No bootloader answers',
      `${this.#channel.path}: ${resets} synchronisations had no answer.`,
      'Press reset while flashing begins, check that DTR is wired to reset, and check RX and TX.',
    );
  }

  /** The three bytes of the chip's signature, as one number. */
  async signature(): Promise<number> {
    const [a = 0, b = 0, c = 0] = await this.#ask([command.signature], 3);
    return (a << 16) | (b << 8) | c;
  }

  /** The bootloader's own version. */
  async version(): Promise<{ readonly major: number; readonly minor: number }> {
    const [major = 0] = await this.#ask([command.parameter, majorVersion], 1);
    const [minor = 0] = await this.#ask([command.parameter, minorVersion], 1);
    return { major, minor };
  }

  /**
   * Erases and writes one page. Address and data leave as one write where `isFused`: Optiboot answers within the time
   * of one byte, and its receiver holds two.
   */
  async programPage(address: number, bytes: Uint8Array, isFused: boolean): Promise<void> {
    const head = [command.program, bytes.length >> 8, bytes.length & 0xff, flashMemory];
    await this.#atAddress(address, Uint8Array.of(...head, ...bytes, space), isFused);
    await this.#expect(inSync);
    await this.#expect(ok);
  }

  async readPage(address: number, sizeBytes: number, isFused: boolean): Promise<Uint8Array> {
    const request = [command.read, sizeBytes >> 8, sizeBytes & 0xff, flashMemory, space];
    await this.#atAddress(address, Uint8Array.from(request), isFused);
    await this.#expect(inSync);
    const bytes = await this.#channel.bytes(sizeBytes, timeouts.answerMs);
    await this.#expect(ok);
    return bytes;
  }

  /** Leaves the bootloader, which starts the application, and listens at the application's rate. */
  async leave(baudRate: number): Promise<void> {
    await this.#ask([command.leave], 0);
    await this.#channel.link.setLine({ baudRate, parity: 'none' });
  }

  /** Loads the word address and sends what follows. */
  async #atAddress(address: number, request: Uint8Array, isFused: boolean): Promise<void> {
    const word = address >> 1;
    const load = [command.address, word & 0xff, word >> 8, space];
    if (isFused) await this.#channel.write(Uint8Array.of(...load, ...request));
    else await this.#channel.write(Uint8Array.from(load));
    await this.#expect(inSync);
    await this.#expect(ok);
    if (!isFused) await this.#channel.write(request);
  }

  async #ask(request: readonly number[], answerBytes: number): Promise<Uint8Array> {
    await this.#channel.write(Uint8Array.of(...request, space));
    await this.#expect(inSync);
    const answer = await this.#channel.bytes(answerBytes, timeouts.answerMs);
    await this.#expect(ok);
    return answer;
  }

  async #expect(wanted: number): Promise<void> {
    const found = await this.#channel.byte(timeouts.answerMs);
    if (found === wanted) return;
    throw problem(
      'bootloader-confused',
      'The bootloader answered nonsense',
      `Expected 0x${wanted.toString(16)}, found 0x${found.toString(16).padStart(2, '0')}.`,
      'Lower the baud rate, reset the board and try again.',
    );
  }

  async #pulseReset(): Promise<void> {
    const { link } = this.#channel;
    await link.setSignals({ dtr: false, rts: false });
    await sleep(timeouts.lowMs);
    await link.setSignals({ dtr: true, rts: true });
  }

  /** Asks once, since a late answer to a second question would be taken for that to the next command. */
  async #synchronise(limitMs: number): Promise<boolean> {
    await sleep(timeouts.startMs);
    this.#channel.clear();
    await this.#channel.write(Uint8Array.of(command.sync, space));
    if ((await this.#channel.byteOrNull(limitMs)) !== inSync) return false;
    return (await this.#channel.byteOrNull(limitMs)) === ok;
  }
}
