import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from '../../../../shared/domain/problem.ts';
import type { ByteChannel } from '../byte-channel.ts';

const ack = 0x79;
const nack = 0x1f;
const busy = 0x76;
const syncByte = 0x7f;
/** Most bytes one READ or WRITE moves (AN3155 3.4, 3.6). */
export const blockBytes = 256;

const timeouts = {
  byteMs: 1000,
  writeMs: 2000,
  pageEraseMs: 5000,
  massEraseMs: 60_000,
  bootMs: 500,
} as const;
const syncAttempts = 5;
/** Longer than a bootloader takes between two answers. */
const quietMs = 200;

/** Chips by product id (AN2606): name, flash page size in bytes. */
export const stm32Chips: Readonly<
  Record<number, { name: string; pageBytes: number; flashBytes: number }>
> = {
  0x410: { name: 'STM32F103 medium-density', pageBytes: 1024, flashBytes: 128 * 1024 },
  0x412: { name: 'STM32F103 low-density', pageBytes: 1024, flashBytes: 32 * 1024 },
  0x414: { name: 'STM32F103 high-density', pageBytes: 2048, flashBytes: 512 * 1024 },
  0x440: { name: 'STM32F030x8/F05x', pageBytes: 1024, flashBytes: 64 * 1024 },
};

const xor = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

/** What GET and GET ID answer. */
export interface BootloaderIdentity {
  readonly version: number;
  readonly productId: number;
  readonly commands: ReadonlySet<number>;
}

/** Client of the STM32 USART system bootloader (ST AN3155). */
export class Stm32Bootloader {
  readonly #channel: ByteChannel;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  /**
   * Synchronises the baud rate; a bootloader that was already synchronised answers NACK, which is fine too.
   * One that was left in the middle of a write waits for its data without end (AN3155, 3.6): with
   * `finishesWrite` it first gets as much as any write may need, of which the checksum makes a NACK.
   */
  async connect({ finishesWrite = false } = {}): Promise<BootloaderIdentity> {
    if (finishesWrite) {
      await this.#channel.write(new Uint8Array(blockBytes + 1).fill(syncByte));
      await this.#untilQuiet();
    }
    for (let attempt = 0; attempt < syncAttempts; attempt++) {
      this.#channel.clear();
      await this.#channel.write(Uint8Array.of(syncByte));
      if (!(await this.#isAnswered())) continue;
      if (finishesWrite) await this.#untilQuiet();
      return this.#identify();
    }
    throw problem(
      'no-bootloader',
      'No bootloader answers',
      `${this.#channel.path}: ${syncAttempts} synchronisation bytes had no answer.`,
      'Set BOOT0 high, reset the board, and check RX and TX.',
    );
  }

  /** What was too much for the write is taken for commands, and each is answered. */
  async #untilQuiet(): Promise<void> {
    while ((await this.#channel.byteOrNull(quietMs)) !== null);
  }

  /** Whether ACK or NACK comes; some chips send stray bytes as they come up. */
  async #isAnswered(): Promise<boolean> {
    for (;;) {
      const answer = await this.#channel.byteOrNull(timeouts.bootMs);
      if (answer === null || answer === ack || answer === nack) return answer !== null;
    }
  }

  async read(address: number, sizeBytes: number): Promise<Uint8Array> {
    await this.#command(0x11, 'READ');
    await this.#address(address, 'READ');
    await this.#channel.write(Uint8Array.of(sizeBytes - 1, (sizeBytes - 1) ^ 0xff));
    await this.#expectAck('READ', address, timeouts.byteMs);
    return this.#channel.bytes(sizeBytes, timeouts.writeMs);
  }

  /** Writes up to 256 bytes, a multiple of 4. The bootloader reports no write protection: verify afterwards. */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    await this.#command(0x31, 'WRITE');
    await this.#address(address, 'WRITE');
    const frame = new Uint8Array(bytes.length + 2);
    frame[0] = bytes.length - 1;
    frame.set(bytes, 1);
    frame[bytes.length + 1] = xor(frame.subarray(0, bytes.length + 1));
    await this.#channel.write(frame);
    await this.#expectAck('WRITE', address, timeouts.writeMs);
  }

  /** Erases pages by number with ERASE or EXTENDED ERASE, whichever the bootloader has. */
  async erase(identity: BootloaderIdentity, pages: readonly number[]): Promise<void> {
    if (identity.commands.has(0x44)) {
      await this.#command(0x44, 'EXTENDED ERASE');
      const numbers = [pages.length - 1, ...pages].flatMap((value) => [value >> 8, value & 0xff]);
      await this.#channel.write(Uint8Array.from([...numbers, xor(Uint8Array.from(numbers))]));
    } else {
      await this.#command(0x43, 'ERASE');
      const numbers = [pages.length - 1, ...pages];
      await this.#channel.write(Uint8Array.from([...numbers, xor(Uint8Array.from(numbers))]));
    }
    await this.#expectAck('ERASE', null, timeouts.pageEraseMs * pages.length);
  }

  /** Erases the whole flash and takes the read-out protection off; the chip then resets (AN3155 3.11). */
  async unprotectReading(): Promise<void> {
    await this.#command(0x92, 'READOUT UNPROTECT');
    await this.#expectAck('READOUT UNPROTECT', null, timeouts.massEraseMs);
    await sleep(timeouts.bootMs);
  }

  async go(address: number): Promise<void> {
    await this.#command(0x21, 'GO');
    await this.#address(address, 'GO');
  }

  async #identify(): Promise<BootloaderIdentity> {
    await this.#command(0x00, 'GET');
    const count = await this.#channel.byte(timeouts.byteMs);
    const [version = 0, ...commands] = await this.#channel.bytes(count + 1, timeouts.byteMs);
    await this.#expectAck('GET', null, timeouts.byteMs);
    await this.#command(0x02, 'GET ID');
    const idBytes = await this.#channel.bytes(
      (await this.#channel.byte(timeouts.byteMs)) + 1,
      timeouts.byteMs,
    );
    await this.#expectAck('GET ID', null, timeouts.byteMs);
    return {
      version,
      productId: ((idBytes[0] ?? 0) << 8) | (idBytes[1] ?? 0),
      commands: new Set(commands),
    };
  }

  async #command(code: number, name: string): Promise<void> {
    await this.#channel.write(Uint8Array.of(code, code ^ 0xff));
    await this.#expectAck(name, null, timeouts.byteMs);
  }

  async #address(address: number, name: string): Promise<void> {
    const bytes = Uint8Array.of(
      address >>> 24,
      (address >>> 16) & 0xff,
      (address >>> 8) & 0xff,
      address & 0xff,
    );
    await this.#channel.write(Uint8Array.of(...bytes, xor(bytes)));
    await this.#expectAck(name, address, timeouts.byteMs);
  }

  async #expectAck(name: string, address: number | null, timeoutMs: number): Promise<void> {
    for (;;) {
      const answer = await this.#channel.byte(timeoutMs);
      if (answer === ack) return;
      if (answer === busy) continue;
      const where = address === null ? '' : ` at 0x${address.toString(16).padStart(8, '0')}`;
      if (answer === nack)
        throw problem(
          'bootloader-refused',
          'The bootloader refused',
          `${name}${where} was answered with NACK.`,
          'Check read-out and write protection, and the address.',
        );
      throw problem(
        'bootloader-confused',
        'The bootloader answered nonsense',
        `${name}${where} was answered with 0x${answer.toString(16)}.`,
        'Lower the baud rate, reset the board and try again.',
      );
    }
  }
}
