import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from '../../../../shared/domain/problem.ts';
import { concat, words } from '../../../../shared/formats/bytes.ts';
import {
  espChecksum,
  espCommands,
  espMagicRegister,
  espSyncPayload,
  readFlashId,
  spiUserCommand,
} from '../../../../shared/formats/esp-loader.ts';
import { hexText } from '../../../../shared/formats/image-facts.ts';
import { encodeSlip, SlipDecoder } from '../../../../shared/formats/slip.ts';
import { type ByteChannel, silence } from '../byte-channel.ts';
import { type EspChip, espChips } from './esp-chips.ts';
import type { EspStub } from './esp-stub.ts';

const timeouts = { answerMs: 3000, syncMs: 100, quietMs: 50, switchMs: 50 } as const;
const connectAttempts = 7;
const syncsPerAttempt = 5;
const headerBytes = 8;
/** Most payload of one FLASH_DATA: of the ROM, and of a stub, which takes the next while it writes one. */
const flashBlockBytes = { rom: 0x400, stub: 0x4000 } as const;
/** Most payload of one MEM_DATA. */
const ramBlockBytes = 0x1800;
const greeting = 'OHAI';

/** Reasons that the ROM gives (esptool documentation, "Serial Protocol", errors). */
const reasons: Readonly<Record<number, string>> = {
  5: 'the message is invalid',
  6: 'it failed to act on the message',
  7: 'the checksum of the message is wrong',
  8: 'the flash did not take the data',
  9: 'the flash could not be read',
  10: 'the length to read is wrong',
  11: 'the compressed data is damaged',
};
const invalidMessage = 5;

interface Answer {
  readonly value: number;
  readonly data: Uint8Array;
}

/** Client of the serial loader in the ROM of ESP32 chips, and of a stub (esptool documentation, "Serial Protocol"). */
export class EspRom {
  readonly #channel: ByteChannel;
  readonly #decoder = new SlipDecoder();
  #packets: Uint8Array[] = [];
  #isStub = false;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  /** Bytes of one block of deflated data. */
  get blockBytes(): number {
    return this.#isStub ? flashBlockBytes.stub : flashBlockBytes.rom;
  }

  /** Loads a stub into the RAM and starts it. @throws ProblemError `bootloader-silent` when it does not greet */
  async runStub({ entry, segments }: EspStub): Promise<void> {
    for (const { address, bytes } of segments) {
      const blocks = Math.ceil(bytes.length / ramBlockBytes);
      await this.#command(
        espCommands.memBegin,
        words(bytes.length, blocks, ramBlockBytes, address),
      );
      for (let sequence = 0; sequence < blocks; sequence++) {
        const data = bytes.subarray(sequence * ramBlockBytes, (sequence + 1) * ramBlockBytes);
        await this.#command(espCommands.memData, concat(words(data.length, sequence, 0, 0), data), {
          checksum: espChecksum(data),
        });
      }
    }
    // The ROM does not always get its answer out before the stub takes over; the greeting is what counts.
    await this.#channel.write(packet(espCommands.memEnd, words(0, entry)));
    for (;;) {
      const found = await this.#packet(timeouts.answerMs);
      if (found === null) throw silence(this.#channel.path, timeouts.answerMs);
      if (String.fromCharCode(...found) === greeting) break;
    }
    this.#isStub = true;
  }

  /** Resets the board into its loader, where the port has modem lines, and synchronises. @throws ProblemError `no-bootloader` */
  async connect(): Promise<void> {
    for (let attempt = 0; attempt < connectAttempts; attempt++) {
      await this.#resetIntoLoader();
      this.#isStub = false;
      for (let sync = 0; sync < syncsPerAttempt; sync++) if (await this.#sync()) return;
    }
    throw problem(
      'no-bootloader',
      'No bootloader answers',
      `${this.#channel.path}: ${connectAttempts * syncsPerAttempt} synchronisations had no answer.`,
      'Hold BOOT, press EN (reset), let both go, and check RX and TX.',
    );
  }

  /** The chip by its magic register or, newer ones, by their security information; null when it is none that is known. */
  async findChip(): Promise<EspChip | null> {
    const magic = await this.readRegister(espMagicRegister);
    const old = espChips.find((chip) => chip.magic === magic);
    if (old) return old;
    const { data } = await this.#command(espCommands.getSecurityInfo, new Uint8Array(), {
      dataBytes: 20,
    });
    const id = new DataView(data.buffer, data.byteOffset).getUint32(12, true);
    return espChips.find((chip) => chip.magic === undefined && chip.imageChipId === id) ?? null;
  }

  /** The MAC address from the fuses. */
  async readMac({ macRegister }: EspChip): Promise<string> {
    const low = await this.readRegister(macRegister);
    const high = await this.readRegister(macRegister + 4);
    const bytes = [high >> 8, high, low >>> 24, low >> 16, low >> 8, low];
    return bytes.map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join(':');
  }

  async readRegister(address: number): Promise<number> {
    return (await this.#command(espCommands.readRegister, words(address))).value;
  }

  /** Size of the flash, by its JEDEC id; null when the id tells none. */
  async readFlashSize({ spi }: EspChip): Promise<number | null> {
    const write = (offset: number, value: number) =>
      this.#command(espCommands.writeRegister, words(spi.base + offset, value, 0xffff_ffff, 0));
    await this.#command(espCommands.spiAttach, words(0, 0));
    await write(spi.readLength, 23);
    await write(spi.user, ((1 << 31) | (1 << 28)) >>> 0);
    await write(spi.user2, ((7 << 28) | readFlashId) >>> 0);
    await write(spi.data, 0);
    await write(0, spiUserCommand);
    while (((await this.readRegister(spi.base)) & spiUserCommand) !== 0);
    const power = ((await this.readRegister(spi.base + spi.data)) >> 16) & 0xff;
    return power >= 0x12 && power <= 0x1c ? 2 ** power : null;
  }

  /** Tells the ROM the geometry of the flash: 64 KiB blocks, 4 KiB sectors, 256-byte pages. */
  async setFlashSize(sizeBytes: number): Promise<void> {
    const geometry = words(0, sizeBytes, 0x10000, 0x1000, 0x100, 0xffff);
    await this.#command(espCommands.spiSetParameters, geometry);
  }

  /** Switches both sides to another speed; false when the board is not understood there. */
  async changeBaudRate(baudRate: number, from: number): Promise<boolean> {
    const old = this.#isStub ? from : 0;
    await this.#command(espCommands.changeBaudRate, words(baudRate, old));
    await this.#channel.link.setLine({ baudRate, parity: 'none' });
    await sleep(timeouts.switchMs);
    this.#clear();
    return this.readRegister(espMagicRegister).then(
      () => true,
      () => false,
    );
  }

  /** Erases what `sizeBytes` from `address` touch, which a stub does as it writes, and gets ready for `blocks` blocks of deflated data. */
  async beginDeflated(chip: EspChip, order: FlashOrder): Promise<void> {
    const { address, sizeBytes, blocks } = order;
    const { blockBytes } = this;
    const announced = this.#isStub ? sizeBytes : Math.ceil(sizeBytes / blockBytes) * blockBytes;
    const encrypted = chip.name === 'ESP32' && !this.#isStub ? [] : [0];
    await this.#command(
      espCommands.flashDeflateBegin,
      words(announced, blocks, blockBytes, address, ...encrypted),
      { timeoutMs: timeouts.answerMs + (40_000 * announced) / 2 ** 20 },
    );
  }

  async writeDeflated(sequence: number, data: Uint8Array, holdsBytes: number): Promise<void> {
    await this.#command(
      espCommands.flashDeflateData,
      concat(words(data.length, sequence, 0, 0), data),
      {
        checksum: espChecksum(data),
        timeoutMs: timeouts.answerMs + (40_000 * holdsBytes) / 2 ** 20,
      },
    );
  }

  /** MD5 of a part of the flash, in lower-case hex. */
  async flashMd5(address: number, sizeBytes: number): Promise<string> {
    const { data } = await this.#command(espCommands.spiFlashMd5, words(address, sizeBytes, 0, 0), {
      dataBytes: this.#isStub ? 16 : 32,
      timeoutMs: timeouts.answerMs + (8000 * sizeBytes) / 2 ** 20,
    });
    return this.#isStub ? hexText(data) : String.fromCharCode(...data).toLowerCase();
  }

  /** Starts what is in the flash: by the reset line, or where the port has none by leaving the loader. */
  async startFlash(): Promise<void> {
    if (await this.#channel.link.setSignals({ dtr: false, rts: true })) {
      await sleep(100);
      await this.#channel.link.setSignals({ dtr: false, rts: false });
      return;
    }
    await this.#command(espCommands.flashBegin, words(0, 0, this.blockBytes, 0));
    await this.#command(espCommands.flashEnd, words(0));
  }

  async #resetIntoLoader(): Promise<void> {
    const { link } = this.#channel;
    // DTR is wired to IO0 (boot), RTS to EN (reset), both inverted.
    if (!(await link.setSignals({ dtr: false, rts: true }))) return;
    await sleep(100);
    await link.setSignals({ dtr: true, rts: false });
    await sleep(50);
    await link.setSignals({ dtr: false, rts: false });
  }

  async #sync(): Promise<boolean> {
    this.#clear();
    await this.#channel.write(packet(espCommands.sync, espSyncPayload));
    if ((await this.#next(espCommands.sync, timeouts.syncMs)) === null) return false;
    // The ROM answers eight times.
    while ((await this.#channel.some(timeouts.quietMs)) !== null);
    this.#clear();
    return true;
  }

  #clear(): void {
    this.#channel.clear();
    this.#packets = [];
  }

  async #command(
    code: number,
    payload: Uint8Array,
    options: { checksum?: number; timeoutMs?: number; dataBytes?: number } = {},
  ): Promise<Answer> {
    const { checksum = 0, timeoutMs = timeouts.answerMs, dataBytes = 0 } = options;
    await this.#channel.write(packet(code, payload, checksum));
    const answer = await this.#next(code, timeoutMs);
    if (answer === null) throw silence(this.#channel.path, timeoutMs);
    const body = answer.subarray(headerBytes);
    const status = body.length >= dataBytes + 2 ? dataBytes : 0;
    if (body[status] !== 0) throw refusal(code, body[status + 1] ?? 0);
    const value = new DataView(answer.buffer, answer.byteOffset).getUint32(4, true);
    return { value, data: body.subarray(0, dataBytes) };
  }

  /** The next packet; null when none is whole in time. */
  async #packet(timeoutMs: number): Promise<Uint8Array | null> {
    for (;;) {
      const found = this.#packets.shift();
      if (found !== undefined) return found;
      const bytes = await this.#channel.some(timeoutMs);
      if (bytes === null) return null;
      this.#packets.push(...this.#decoder.push(bytes));
    }
  }

  /** The next answer to a command, skipping what answers others; null when none comes in time. */
  async #next(code: number, timeoutMs: number): Promise<Uint8Array | null> {
    for (;;) {
      const found = await this.#packet(timeoutMs);
      if (found === null) return null;
      if (found.length >= headerBytes + 2 && found[0] === 1) {
        if (found[1] === code) return found;
        // A command that the ROM does not know is answered for no command.
        if (found[headerBytes] !== 0 && found[headerBytes + 1] === invalidMessage) return found;
      }
    }
  }
}

/** What one begin announces. */
interface FlashOrder {
  readonly address: number;
  /** When inflated. */
  readonly sizeBytes: number;
  readonly blocks: number;
}

function packet(code: number, payload: Uint8Array, checksum = 0): Uint8Array {
  const head = Uint8Array.of(0, code, payload.length & 0xff, payload.length >> 8);
  return encodeSlip(concat(head, words(checksum), payload));
}

function refusal(code: number, reason: number) {
  return problem(
    'bootloader-refused',
    'The bootloader refused',
    `Command 0x${code.toString(16).padStart(2, '0')}: ${reasons[reason] ?? `reason ${reason}`}.`,
    'Check the supply voltage and the flash, lower the baud rate and try again.',
  );
}
