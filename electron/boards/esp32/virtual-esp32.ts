import { createHash } from 'node:crypto';
import { concat, latin1Bytes, words } from '../../../shared/formats/bytes.ts';
import { espChecksum, espCommands } from '../../../shared/formats/esp-loader.ts';
import { encodeSlip, SlipDecoder } from '../../../shared/formats/slip.ts';
import { type BoardSetup, VirtualBoard } from '../virtual-board.ts';
import { bootEsp32 } from './esp32-boot.ts';
import { Inflater } from './inflater.ts';
import { Esp32Registers } from './esp32-registers.ts';

const flashBytes = 4 * 2 ** 20;
const sectorBytes = 4096;
const blockBytes = 65_536;
const pageBytes = 256;
const firstBaudRate = 115_200;
/** Typical times of a W25Q32JV: erase of a sector and of a block, program of a page. */
const sectorEraseMs = 45;
const blockEraseMs = 150;
const pageProgramMs = 0.4;
/** How fast the ROM reads and hashes the flash: an estimate, since no source states it. */
const md5BytesPerMs = 1000;
const syncAnswers = 8;
const romBlockBytes = 0x400;
const unknownToStub = 0xff;

const reasons = { invalid: 5, failed: 6, checksum: 7, flashWrite: 8, deflate: 11 } as const;

type Answer = { readonly value?: number; readonly data?: Uint8Array; readonly reason?: number };

/** What a begin announced: where the next data goes. */
interface Transfer {
  /** Of deflated data. */
  readonly inflater: Inflater | null;
  readonly address: number;
  sequence: number;
  blocksLeft: number;
  /** Bytes of plain data that are written already. */
  written: number;
}

/**
 * An ESP32 board with 4 MiB of flash: the loader in its ROM, and what an uploaded stub answers (esptool documentation,
 * "Serial Protocol"); the second-stage bootloader is part of the board, and tells of the application instead of running it.
 */
export class VirtualEsp32 extends VirtualBoard {
  readonly flash = new Uint8Array(flashBytes).fill(0xff);
  readonly #registers: Esp32Registers;
  #decoder = new SlipDecoder();
  #isInLoader = true;
  #isStub = false;
  #isHeld = false;
  #isBootPinLow = false;
  #boots = 0;
  #transfer: Transfer | null = null;
  /** Parts of the RAM that were announced, and how far they are filled. */
  #loaded: { readonly address: number; readonly sizeBytes: number; filled: number }[] = [];

  constructor({ unit = 0, ...setup }: BoardSetup) {
    super({ bitsPerByte: 10, baudRate: firstBaudRate, ...setup });
    this.#registers = new Esp32Registers(flashBytes, unit);
  }

  /** DTR is wired to IO0 and RTS to EN, both inverted; both at once do nothing. */
  override setSignals({ dtr, rts }: { readonly dtr: boolean; readonly rts: boolean }): void {
    const isHeld = rts && !dtr;
    this.#isBootPinLow = dtr && !rts;
    if (this.#isHeld && !isHeld) {
      this.reset();
      if (!this.#isBootPinLow) this.#boot();
    }
    this.#isHeld = isHeld;
  }

  protected override restart(): void {
    this.#boots++;
    this.switchBaudRate(firstBaudRate);
    this.#decoder = new SlipDecoder();
    this.#isInLoader = true;
    this.#isStub = false;
    this.#loaded = [];
    this.#transfer = null;
  }

  protected override take(bytes: Uint8Array): void {
    if (this.#isHeld) return;
    for (const packet of this.#decoder.push(bytes)) {
      const code = packet[1] ?? 0;
      if (packet[0] !== 0 || packet.length < 8) continue;
      if (!this.#isInLoader) {
        if (code !== espCommands.sync) continue;
        // A PTY has no reset line: a synchronisation to a running board stands for pressing reset with BOOT held.
        this.reset();
      }
      this.#answer(code, packet.subarray(8), new DataView(packet.buffer).getUint32(4, true));
    }
  }

  #answer(code: number, payload: Uint8Array, checksum: number): void {
    const view = new DataView(payload.buffer, payload.byteOffset);
    const word = (index: number): number =>
      payload.length >= index * 4 + 4 ? view.getUint32(index * 4, true) : 0;
    switch (code) {
      case espCommands.sync:
        // The ROM tells itself from a stub by the value.
        for (let count = 0; count < syncAnswers; count++)
          this.#reply(code, { value: this.#isStub ? 0 : 0x20120707 });
        return;
      case espCommands.readRegister:
        return this.#reply(code, { value: this.#registers.read(word(0)) });
      case espCommands.writeRegister:
        this.#registers.write(word(0), word(1));
        return this.#reply(code, {});
      case espCommands.spiAttach:
      case espCommands.spiSetParameters:
        return this.#reply(code, {});
      case espCommands.memBegin:
        this.#loaded.push({ address: word(3), sizeBytes: word(0), filled: 0 });
        return this.#reply(code, {});
      case espCommands.memData:
        return this.#reply(code, this.#load(payload.subarray(16), checksum));
      case espCommands.memEnd:
        this.#reply(code, {});
        if (this.#isLoadedAt(word(1))) this.#startStub();
        return;
      case espCommands.changeBaudRate:
        this.#reply(code, {});
        return this.switchBaudRate(word(0));
      case espCommands.flashBegin:
      case espCommands.flashDeflateBegin:
        return this.#reply(code, this.#begin(word, code === espCommands.flashDeflateBegin));
      case espCommands.flashData:
      case espCommands.flashDeflateData:
        return void this.#write(payload.subarray(16), word(1), checksum).then((answer) =>
          this.#reply(code, answer),
        );
      case espCommands.flashEnd:
      case espCommands.flashDeflateEnd:
        this.#reply(code, {});
        if (word(0) === 0) this.later(1, () => this.#restartFromFlash());
        return;
      case espCommands.spiFlashMd5:
        return this.#reply(code, this.#md5(word(0), word(1)));
      default:
        if (this.#isStub) return this.#reply(code, { reason: unknownToStub });
        // The ROM answers what it does not know more than once.
        for (let count = 0; count < syncAnswers; count++)
          this.#reply(0, { reason: reasons.invalid });
    }
  }

  #reply(code: number, { value = 0, data = new Uint8Array(), reason }: Answer): void {
    const status = reason === undefined ? [0, 0] : [1, reason];
    const body = concat(data, Uint8Array.from(this.#isStub ? status : [...status, 0, 0]));
    const head = Uint8Array.of(1, code, body.length & 0xff, body.length >> 8);
    this.send(encodeSlip(concat(head, words(value), body)));
  }

  #load(data: Uint8Array, checksum: number): Answer {
    const part = this.#loaded.at(-1);
    if (espChecksum(data) !== checksum) return { reason: reasons.checksum };
    if (!part || part.filled + data.length > part.sizeBytes) return { reason: reasons.failed };
    part.filled += data.length;
    return {};
  }

  /** What is started lies in a part of the RAM that was filled. */
  #isLoadedAt(entry: number): boolean {
    return this.#loaded.some(({ address, filled }) => entry >= address && entry < address + filled);
  }

  #startStub(): void {
    this.#isStub = true;
    this.send(encodeSlip(latin1Bytes('OHAI')));
  }

  #begin(word: (index: number) => number, isDeflated: boolean): Answer {
    const [sizeBytes, blocks, , address] = [word(0), word(1), word(2), word(3)];
    if (address + sizeBytes > flashBytes) return { reason: reasons.failed };
    this.#transfer = {
      inflater: isDeflated ? new Inflater() : null,
      address,
      sequence: 0,
      blocksLeft: blocks,
      written: 0,
    };
    // The ROM erases at once, a stub as it writes.
    if (!this.#isStub) this.busy(this.#erase(address, sizeBytes));
    return {};
  }

  /** Erases every sector that is touched and returns how long that takes. */
  #erase(address: number, sizeBytes: number): number {
    let at = address - (address % sectorBytes);
    let ms = 0;
    while (at < address + sizeBytes) {
      const isBlock = at % blockBytes === 0 && at + blockBytes <= address + sizeBytes;
      const step = isBlock ? blockBytes : sectorBytes;
      this.flash.fill(0xff, at, at + step);
      ms += isBlock ? blockEraseMs : sectorEraseMs;
      at += step;
    }
    return ms;
  }

  async #write(data: Uint8Array, sequence: number, checksum: number): Promise<Answer> {
    const transfer = this.#transfer;
    if (espChecksum(data) !== checksum) return { reason: reasons.checksum };
    if (!this.#isStub && data.length > romBlockBytes) return { reason: reasons.invalid };
    if (!transfer || transfer.blocksLeft === 0 || sequence !== transfer.sequence)
      return { reason: reasons.failed };
    transfer.sequence++;
    transfer.blocksLeft--;
    const plain = transfer.inflater ? await transfer.inflater.push(data) : data;
    return plain === null ? { reason: reasons.deflate } : this.#program(transfer, plain);
  }

  #program(transfer: Transfer, plain: Uint8Array): Answer {
    const start = transfer.address + transfer.written;
    const end = Math.min(start + plain.length, flashBytes);
    let ms = Math.ceil(plain.length / pageBytes) * pageProgramMs;
    if (this.#isStub) {
      const firstSector = Math.ceil(start / sectorBytes) * sectorBytes;
      if (end > firstSector) ms += this.#erase(firstSector, end - firstSector);
    }
    // Programming clears bits only; a cell that was not erased keeps its zeros.
    for (let at = start; at < end; at++)
      this.flash[at] = (this.flash[at] ?? 0) & (plain[at - start] ?? 0);
    transfer.written += plain.length;
    if (this.#isStub) {
      // A stub takes a block while it writes the one before.
      this.busy(0);
      this.busyBeside(ms);
    } else this.busy(ms);
    return start + plain.length > flashBytes ? { reason: reasons.flashWrite } : {};
  }

  #md5(address: number, sizeBytes: number): Answer {
    if (address + sizeBytes > flashBytes) return { reason: reasons.failed };
    this.busy(sizeBytes / md5BytesPerMs);
    const hash = createHash('md5').update(this.flash.subarray(address, address + sizeBytes));
    return { data: this.#isStub ? hash.digest() : latin1Bytes(hash.digest('hex')) };
  }

  #restartFromFlash(): void {
    this.reset();
    this.#boot();
  }

  /** Starts from the flash; a board without a sound application starts again and again. */
  #boot(): void {
    this.#isInLoader = false;
    const boot = this.#boots;
    this.later(1, async () => {
      const { log, isUp } = await bootEsp32(this.flash);
      // It was reset while it started.
      if (boot !== this.#boots) return;
      this.sendText(log);
      if (!isUp) this.later(300, () => this.#restartFromFlash());
    });
  }
}
