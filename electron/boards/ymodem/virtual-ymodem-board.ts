import { crc32, sumText } from '../../../shared/formats/crc32.ts';
import { blockBytes, decodeBlock, decodeFileBlock, modem } from '../../../shared/formats/ymodem.ts';
import { CortexMcu } from '../stm32/cortex-mcu.ts';
import { type BoardSetup, VirtualBoard } from '../virtual-board.ts';

const flashBytes = 128 * 1024;
const pageBytes = 1024;
/** Typical program time of a half-word and erase time of a page (STM32F103 datasheet, flash characteristics). */
const halfWordProgramMs = 0.0525;
const pageEraseMs = 20;
const readyEveryMs = 1000;
/** Time for the sender to let go of the line before the image starts. */
const startMs = 300;

interface Transfer {
  /** Without name and size: XMODEM. */
  readonly isBare: boolean;
  readonly sizeBytes: number;
  next: number;
  written: number;
  ends: number;
}

/**
 * A Cortex-M board whose bootloader takes an image by YMODEM or XMODEM-1K, tells its CRC-32, and starts it
 * (Forsberg, "XMODEM/YMODEM Protocol Reference", 1988).
 */
export class VirtualYmodemBoard extends VirtualBoard {
  readonly #flash = new Uint8Array(flashBytes).fill(0xff);
  #pending: number[] = [];
  #transfer: Transfer | null = null;
  #isLoader = true;

  constructor(setup: BoardSetup) {
    super({ bitsPerByte: 10, baudRate: 115_200, ...setup });
  }

  override opened(): void {
    this.reset();
  }

  protected override restart(): void {
    this.#pending = [];
    this.#transfer = null;
    this.#isLoader = true;
    this.sendText('YMODEM bootloader, waiting for an image\r\n');
    this.#callForBlocks();
  }

  protected override take(bytes: Uint8Array): void {
    if (!this.#isLoader) return;
    this.#pending.push(...bytes);
    while (this.#pending.length > 0 && this.#step());
  }

  /** Asks for the first block again and again. */
  #callForBlocks(): void {
    if (!this.#isLoader || this.#transfer) return;
    this.send([modem.ready]);
    setTimeout(() => this.later(0, () => this.#callForBlocks()), readyEveryMs).unref();
  }

  #step(): boolean {
    const [first = 0] = this.#pending;
    if (first === modem.end) {
      this.#pending.shift();
      this.#end();
      return true;
    }
    const size = blockBytes(first);
    if (size === null) {
      this.#pending.shift();
      return true;
    }
    if (this.#pending.length < size) return false;
    this.#takeBlock(Uint8Array.from(this.#pending.splice(0, size)));
    return true;
  }

  #takeBlock(bytes: Uint8Array): void {
    const block = decodeBlock(bytes);
    if (block === null) return this.send([modem.nak]);
    const transfer = this.#transfer;
    if (transfer === null || transfer.ends > 0) return this.#begin(block.sequence, block.data);
    // A block whose acknowledgement was lost comes again.
    const isRepeated = block.sequence === ((transfer.next - 1) & 0xff);
    if (!isRepeated && block.sequence !== (transfer.next & 0xff)) return this.#cancel();
    if (!isRepeated && !this.#write(transfer, block.data)) return this.#cancel();
    this.send([modem.ack]);
  }

  #begin(sequence: number, data: Uint8Array): void {
    const file = decodeFileBlock(data);
    if (sequence === 1 && this.#transfer === null) return this.#beginBare(data);
    if (sequence !== 0) return this.#cancel();
    if (file === null) {
      this.send([modem.ack]);
      return this.#finish();
    }
    if (file.sizeBytes === 0 || file.sizeBytes > flashBytes) return this.#cancel();
    this.#transfer = { isBare: false, sizeBytes: file.sizeBytes, next: 1, written: 0, ends: 0 };
    this.send([modem.ack, modem.ready]);
  }

  /** A file without a name and size: XMODEM. */
  #beginBare(data: Uint8Array): void {
    const transfer = { isBare: true, sizeBytes: flashBytes, next: 1, written: 0, ends: 0 };
    this.#transfer = transfer;
    this.#write(transfer, data);
    this.send([modem.ack]);
  }

  #write(transfer: Transfer, data: Uint8Array): boolean {
    const wanted = data.subarray(0, transfer.sizeBytes - transfer.written);
    if (wanted.length === 0) return false;
    for (let at = transfer.written; at < transfer.written + wanted.length; at++) {
      if (at % pageBytes !== 0) continue;
      this.#flash.fill(0xff, at, at + pageBytes);
      this.busy(pageEraseMs);
    }
    this.#flash.set(wanted, transfer.written);
    this.busy((wanted.length / 2) * halfWordProgramMs);
    transfer.written += wanted.length;
    transfer.next++;
    return true;
  }

  /** The first end of a transmission is doubted, as receivers of the time did. */
  #end(): void {
    const transfer = this.#transfer;
    if (!transfer) return this.send([modem.nak]);
    transfer.ends++;
    if (transfer.ends === 1) return this.send([modem.nak]);
    this.send(transfer.isBare ? [modem.ack] : [modem.ack, modem.ready]);
    if (transfer.isBare) this.#finish();
  }

  #cancel(): void {
    this.#transfer = null;
    this.send([modem.cancel, modem.cancel]);
    this.#callForBlocks();
  }

  #finish(): void {
    const transfer = this.#transfer;
    if (!transfer || (!transfer.isBare && transfer.written < transfer.sizeBytes))
      return this.#cancel();
    const sizeBytes = transfer.written;
    const sum = sumText(crc32(this.#flash.subarray(0, sizeBytes)));
    this.sendText(`\r\n## Total Size = ${sizeBytes} Bytes\r\n## CRC32 = ${sum}\r\n`);
    this.#isLoader = false;
    this.later(startMs, () => this.#start());
  }

  #start(): void {
    const mcu = new CortexMcu(this.#flash);
    this.whileUp(() => {
      const { isAlive, printed } = mcu.run();
      if (printed.length > 0) this.send(printed);
      return isAlive;
    });
  }
}
