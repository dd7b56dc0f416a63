import { memorySource } from '../../../shared/formats/byte-source.ts';
import { hexText } from '../../../shared/formats/image-facts.ts';
import { readMcuboot } from '../../../shared/formats/mcuboot.ts';
import { startHash } from '../../files/start-hash.ts';

/** What a slot holds, once it was read. */
export interface SlotImage {
  /** `major.minor.revision`, with the build number behind a dot when it is not 0. */
  readonly version: string;
  readonly hash: Uint8Array;
  readonly isSound: boolean;
}

/** What the flash holds when the board leaves its maker. */
const factoryImage: SlotImage = {
  version: '0.9.0',
  hash: new Uint8Array(32).fill(0xfa),
  isSound: true,
};

/** Reads the image of a slot as MCUboot does; null when the slot holds none. */
export async function readSlot(bytes: Uint8Array): Promise<SlotImage | null> {
  let isSound = true;
  const image = await readMcuboot(
    memorySource(bytes),
    async (algorithm, start, end) => {
      const hash = startHash(algorithm);
      hash.update(bytes.subarray(start, end));
      return hexText(hash.digest());
    },
    (rule) => {
      if (['mcuboot.hash', 'mcuboot.no-hash', 'mcuboot.tlv'].includes(rule)) isSound = false;
    },
  );
  if (image?.hash == null) return null;
  const [numbers = '', build = '0'] = image.version.split('+');
  return {
    version: build === '0' ? numbers : `${numbers}.${build}`,
    hash: Uint8Array.from(Buffer.from(image.hash, 'hex')),
    isSound,
  };
}

/** How MCUboot goes on with the second slot at the next start. */
type Swap = 'none' | 'test' | 'permanent' | 'revert';

/** Two slots that MCUboot swaps: a tested image goes back at the next start unless it was confirmed. */
export class McubootSlots {
  primary: SlotImage = factoryImage;
  secondary: SlotImage | null = null;
  isConfirmed = true;
  #swap: Swap = 'none';

  /** Asks for the second slot at the next start, for good or for one try. */
  request(isPermanent: boolean): void {
    this.#swap = isPermanent ? 'permanent' : 'test';
  }

  confirm(): void {
    this.isConfirmed = true;
    this.#swap = 'none';
  }

  get pending(): { readonly isPermanent: boolean } | null {
    if (this.#swap !== 'test' && this.#swap !== 'permanent') return null;
    return { isPermanent: this.#swap === 'permanent' };
  }

  /** Starts: swaps when that was asked for and the image is sound. Returns what MCUboot prints. */
  start(): readonly string[] {
    const swap = this.isConfirmed ? this.#swap : 'revert';
    const lines = ['*** Booting MCUboot v2.1.0 ***', `I: Image index: 0, Swap type: ${swap}`];
    this.#swap = 'none';
    if (swap === 'none' || this.secondary === null) return lines;
    if (!this.secondary.isSound) {
      this.secondary = null;
      return [...lines, 'E: Image in the secondary slot is not valid!'];
    }
    [this.primary, this.secondary] = [this.secondary, this.primary];
    this.isConfirmed = swap !== 'test';
    return [...lines, 'I: Starting swap using move algorithm.'];
  }
}
