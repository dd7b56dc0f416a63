import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlasherOptions, FlashWork, Tell } from '../flasher.ts';
import { type FlashGeometry, layOut } from '../sector-layout.ts';
import { sectorWork } from '../sector-work.ts';
import {
  blockBytes,
  type BootloaderIdentity,
  Stm32Bootloader,
  stm32Chips,
} from './stm32-bootloader.ts';
import { readUniqueId } from './stm32-unique-id.ts';

const flashStart = 0x08000000;

/** The main flash of a chip, whose sectors are its pages. */
export function stm32Geometry(chip: {
  readonly pageBytes: number;
  readonly flashBytes: number;
}): FlashGeometry {
  const { pageBytes, flashBytes } = chip;
  return {
    start: flashStart,
    sizeBytes: flashBytes,
    sectorBytes: pageBytes,
    blockBytes,
    wordBytes: 4,
  };
}

/** Flashes an STM32 through its system bootloader. */
export class Stm32Flasher implements Flasher {
  readonly #bootloader: Stm32Bootloader;
  readonly #options: FlasherOptions;
  #identity: BootloaderIdentity | null = null;

  constructor(channel: ByteChannel, options: FlasherOptions) {
    this.#bootloader = new Stm32Bootloader(channel);
    this.#options = options;
  }

  async connect(): Promise<BoardIdentity> {
    // What a write that was cut off would leave wrong is found by comparing, and written again.
    const identity = await this.#bootloader.connect({ finishesWrite: this.#options.changedOnly });
    this.#identity = identity;
    const chip = stm32Chips[identity.productId];
    const uniqueId = await readUniqueId(this.#bootloader, identity.productId);
    return {
      chip: chip?.name ?? `unknown chip 0x${identity.productId.toString(16)}`,
      isSupported: chip !== undefined,
      boardId: uniqueId === 'protected' ? null : uniqueId,
      isReadProtected: uniqueId === 'protected',
      remark: `bootloader version 0x${identity.version.toString(16)}`,
    };
  }

  unprotect(): Promise<void> {
    return this.#bootloader.unprotectReading();
  }

  async plan(image: FirmwareImage, tell: Tell): Promise<FlashWork> {
    const identity = this.#identity;
    const chip = identity && stm32Chips[identity.productId];
    if (!chip) throw new Error('not connected to a known chip');
    const bootloader = this.#bootloader;
    const commands = {
      erase: (pages: readonly number[]) => bootloader.erase(identity, pages),
      write: ({ address, bytes }: { address: number; bytes: Uint8Array }) =>
        bootloader.write(address, bytes),
      read: (address: number, sizeBytes: number) => bootloader.read(address, sizeBytes),
      start: (address: number) => bootloader.go(address),
    };
    const layout = layOut(image, { ...stm32Geometry(chip), keepOut: this.#options.keepOut });
    return sectorWork(commands, layout, { ...this.#options, tell });
  }
}
