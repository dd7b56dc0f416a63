import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlasherOptions, FlashWork, Tell } from '../flasher.ts';
import { type Block, layOut } from '../sector-layout.ts';
import { sectorWork } from '../sector-work.ts';
import { Stk500Bootloader } from './stk500-bootloader.ts';

interface AvrChip {
  readonly name: string;
  readonly flashBytes: number;
  readonly pageBytes: number;
}

/** Chips by their signature bytes (datasheets, "Signature bytes"). */
const chips: Readonly<Record<number, AvrChip>> = {
  0x1e9307: { name: 'ATmega8', flashBytes: 8 * 1024, pageBytes: 64 },
  0x1e930f: { name: 'ATmega88P', flashBytes: 8 * 1024, pageBytes: 64 },
  0x1e9406: { name: 'ATmega168', flashBytes: 16 * 1024, pageBytes: 128 },
  0x1e940b: { name: 'ATmega168P', flashBytes: 16 * 1024, pageBytes: 128 },
  0x1e950f: { name: 'ATmega328P', flashBytes: 32 * 1024, pageBytes: 128 },
  0x1e9514: { name: 'ATmega328', flashBytes: 32 * 1024, pageBytes: 128 },
};
/** The first version that Optiboot had; ATmegaBOOT calls itself 1. */
const firstOptiboot = 4;
/** What the bootloader keeps for itself at the end of the flash, in bytes. */
const bootBytes = { optiboot: 512, other: 2048 } as const;

/** Flashes an AVR through an Arduino bootloader, page by page; a page is erased as it is written. */
export class Stk500Flasher implements Flasher {
  readonly #bootloader: Stk500Bootloader;
  readonly #options: FlasherOptions;
  #chip: AvrChip | undefined;
  #isOptiboot = false;

  constructor(channel: ByteChannel, options: FlasherOptions) {
    this.#bootloader = new Stk500Bootloader(channel);
    this.#options = options;
  }

  async connect(): Promise<BoardIdentity> {
    const rate = await this.#bootloader.connect(this.#options.baudRate);
    const { major, minor } = await this.#bootloader.version();
    const signature = await this.#bootloader.signature();
    this.#isOptiboot = major >= firstOptiboot;
    this.#chip = chips[signature];
    return {
      chip: this.#chip?.name ?? `unknown chip with signature ${signature.toString(16)}`,
      isSupported: this.#chip !== undefined,
      boardId: null,
      remark: `${this.#isOptiboot ? 'Optiboot' : 'bootloader'} ${major}.${minor}, ${rate} baud`,
    };
  }

  async plan(image: FirmwareImage, tell: Tell): Promise<FlashWork> {
    const chip = this.#chip;
    if (!chip) throw new Error('not connected to a known chip');
    const { pageBytes, flashBytes } = chip;
    const bootloader = this.#bootloader;
    const isFused = this.#isOptiboot;
    const layout = layOut(onWholePages(image, pageBytes), {
      start: 0,
      sizeBytes: flashBytes - (this.#isOptiboot ? bootBytes.optiboot : bootBytes.other),
      sectorBytes: pageBytes,
      blockBytes: pageBytes,
      wordBytes: 2,
      // Nothing erases a page but writing it.
      keepsBlank: true,
      keepOut: this.#options.keepOut,
    });
    const commands = {
      write: ({ address, bytes }: Block) => bootloader.programPage(address, bytes, isFused),
      read: (address: number, sizeBytes: number) =>
        bootloader.readPage(address, sizeBytes, isFused),
      start: () => bootloader.leave(this.#options.baudRate),
    };
    return sectorWork(commands, layout, { ...this.#options, tell });
  }
}

/** Fills every page that is touched with FF up to its ends: what is written replaces the whole page. */
function onWholePages(image: FirmwareImage, pageBytes: number): FirmwareImage {
  const pages = new Map<number, Uint8Array>();
  for (const { address, bytes } of image.segments) {
    for (let at = 0; at < bytes.length; ) {
      const place = (address ?? 0) + at;
      const within = place % pageBytes;
      const slice = bytes.subarray(at, at + pageBytes - within);
      const page = pages.get(place - within) ?? new Uint8Array(pageBytes).fill(0xff);
      page.set(slice, within);
      pages.set(place - within, page);
      at += slice.length;
    }
  }
  return { ...image, segments: [...pages].map(([address, bytes]) => ({ address, bytes })) };
}
