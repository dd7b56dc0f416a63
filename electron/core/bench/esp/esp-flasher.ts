import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { problem } from '../../../../shared/domain/problem.ts';
import { hasEspDescriptor } from '../../../../shared/formats/esp-image.ts';
import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import { hexAddress } from '../../../../shared/formats/report.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlasherOptions, FlashWork, Tell } from '../flasher.ts';
import { type Block, layOut, sizeOf, verifyFailed } from '../sector-layout.ts';
import { type EspChip, espChips } from './esp-chips.ts';
import { EspRom } from './esp-rom.ts';
import { espStubFor } from './esp-stub.ts';

const sectorBytes = 4096;
const partBytes = 16 * sectorBytes;
const imageMagic = 0xe9;
const appPartition = 0x10000;
const usualFlashBytes = 4 * 2 ** 20;

/** Flashes an ESP32 through the loader in its ROM, or a stub in its RAM: deflated, verified by MD5. */
export class EspFlasher implements Flasher {
  readonly #rom: EspRom;
  readonly #channel: ByteChannel;
  readonly #options: FlasherOptions;
  #chip: EspChip | null = null;
  #flashBytes = usualFlashBytes;

  constructor(channel: ByteChannel, options: FlasherOptions) {
    this.#channel = channel;
    this.#rom = new EspRom(channel);
    this.#options = options;
  }

  async connect(): Promise<BoardIdentity> {
    await this.#rom.connect();
    const chip = await this.#rom.findChip();
    if (!chip) return { chip: 'unknown chip', isSupported: false, boardId: null, remark: 'ROM' };
    this.#chip = chip;
    const loader = await this.#startStub(chip);
    const speed = await this.#speedUp(chip);
    this.#flashBytes = (await this.#rom.readFlashSize(chip)) ?? usualFlashBytes;
    await this.#rom.setFlashSize(this.#flashBytes);
    return {
      chip: chip.name,
      isSupported: true,
      boardId: await this.#rom.readMac(chip),
      remark: `${loader}, flash of ${this.#flashBytes / 1024} KiB, ${speed} baud`,
    };
  }

  async plan(image: FirmwareImage, tell: Tell): Promise<FlashWork> {
    const chip = this.#chip;
    if (!chip) throw new Error('not connected to a known chip');
    const placed = {
      ...image,
      segments: image.segments.map(({ address, bytes }) => {
        checkImageChip(bytes, chip);
        return { address: address ?? placeOf(bytes, chip), bytes };
      }),
    };
    const { sectors } = layOut(placed, {
      start: 0,
      sizeBytes: this.#flashBytes,
      sectorBytes,
      blockBytes: sectorBytes,
      wordBytes: 4,
      keepOut: this.#options.keepOut,
    });
    const blocks = sectors.flatMap((sector) => sector.blocks);
    const runs = joined(blocks);
    const changed = this.#options.changedOnly ? await this.#changed(runs, tell) : runs;
    const changedBytes = sizeOf(changed);
    return {
      totalBytes: changedBytes,
      // Blank sectors deflate to nothing and are written with the others.
      skippedBytes: 0,
      unchangedBytes: sizeOf(runs) - changedBytes,
      write: (tellDone) => this.#write(chip, changed, tellDone),
      verify: async (tellDone) => {
        let done = 0;
        for (const run of changed) {
          await this.#compare(run);
          done += run.bytes.length;
          tellDone(done, changedBytes);
        }
        return 'md5';
      },
      start: () => this.#rom.startFlash(),
    };
  }

  /** Starts the stub where one is wanted and there is one for this chip; returns what flashes. */
  async #startStub(chip: EspChip): Promise<string> {
    const stub = this.#options.usesStub ? await espStubFor(chip.name) : null;
    if (stub) await this.#rom.runStub(stub);
    return stub ? 'stub loader' : 'ROM loader';
  }

  /** Goes to the wanted speed; a board that is not understood there is reset and flashed at the first one. */
  async #speedUp(chip: EspChip): Promise<number> {
    const { baudRate } = this.#options;
    const first = this.#options.connectBaudRate;
    if (baudRate === first || (await this.#rom.changeBaudRate(baudRate, first))) return baudRate;
    await this.#channel.link.setLine({ baudRate: first, parity: 'none' });
    await this.#rom.connect();
    await this.#startStub(chip);
    return first;
  }

  async #write(chip: EspChip, runs: readonly Block[], tell: Tell): Promise<void> {
    const total = sizeOf(runs);
    let before = 0;
    for (const { address, bytes } of runs) {
      const deflated = deflateSync(bytes, { level: 9 });
      const { blockBytes } = this.#rom;
      const blocks = Math.ceil(deflated.length / blockBytes);
      await this.#rom.beginDeflated(chip, { address, sizeBytes: bytes.length, blocks });
      for (let sequence = 0; sequence < blocks; sequence++) {
        const from = sequence * blockBytes;
        const block = deflated.subarray(from, from + blockBytes);
        const share = block.length / deflated.length;
        await this.#rom.writeDeflated(sequence, block, bytes.length * share);
        const done = (bytes.length * (from + block.length)) / deflated.length;
        tell(before + Math.floor(done), total);
      }
      before += bytes.length;
    }
  }

  async #isSame({ address, bytes }: Block): Promise<boolean> {
    return (await this.#rom.flashMd5(address, bytes.length)) === md5(bytes);
  }

  async #compare(run: Block): Promise<void> {
    if (await this.#isSame(run)) return;
    const [sector] = await this.#differing(run);
    throw verifyFailed(
      `The MD5 of the flash is another one, first in the sector at ${hexAddress(sector?.address ?? run.address)}.`,
    );
  }

  async #changed(runs: readonly Block[], tell: Tell): Promise<readonly Block[]> {
    const changed: Block[] = [];
    const parts = runs.flatMap(inParts);
    for (const [done, part] of parts.entries()) {
      tell(done, parts.length);
      if (!(await this.#isSame(part))) changed.push(...(await this.#differing(part)));
    }
    return joined(changed);
  }

  /** The sectors of a differing run that differ, found by halving it. */
  async #differing(run: Block): Promise<readonly Block[]> {
    const sectors = Math.ceil(run.bytes.length / sectorBytes);
    if (sectors <= 1) return [run];
    const middle = Math.floor(sectors / 2) * sectorBytes;
    const first = { ...run, bytes: run.bytes.subarray(0, middle) };
    const second = {
      ...run,
      address: run.address + middle,
      bytes: run.bytes.subarray(middle),
    };
    // When the first half is the same, the second one must differ.
    if (await this.#isSame(first)) return this.#differing(second);
    const rest = (await this.#isSame(second)) ? [] : await this.#differing(second);
    return [...(await this.#differing(first)), ...rest];
  }
}

/** Cuts a run: the chip hashes every byte that is asked for, so that asking for all of it first would double the time. */
function inParts({ address, bytes }: Block): readonly Block[] {
  return Array.from({ length: Math.ceil(bytes.length / partBytes) }, (_, index) => ({
    address: address + index * partBytes,
    bytes: bytes.subarray(index * partBytes, (index + 1) * partBytes),
    isBlank: false,
  }));
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** Joins blocks that follow each other. */
function joined(blocks: readonly Block[]): readonly Block[] {
  const runs: { address: number; pieces: Uint8Array[]; end: number }[] = [];
  for (const { address, bytes } of blocks) {
    const last = runs.at(-1);
    if (last?.end === address) {
      last.pieces.push(bytes);
      last.end += bytes.length;
    } else runs.push({ address, pieces: [bytes], end: address + bytes.length });
  }
  return runs.map(({ address, pieces }) => ({
    address,
    bytes: new Uint8Array(Buffer.concat(pieces)),
    isBlank: false,
  }));
}

/** An image says for which chip it is. @throws ProblemError `wrong-image` */
function checkImageChip(bytes: Uint8Array, chip: EspChip): void {
  if (bytes[0] !== imageMagic || bytes.length < 24) return;
  const id = (bytes[12] ?? 0) | ((bytes[13] ?? 0) << 8);
  if (id === chip.imageChipId) return;
  const other = espChips.find(({ imageChipId }) => imageChipId === id)?.name ?? `chip id ${id}`;
  throw problem(
    'wrong-image',
    'The image is for another chip',
    `It is for ${other}; the board has ${chip.name}.`,
    'Choose the image for this chip; nothing was erased.',
    'gate',
  );
}

/** Where an image without addresses goes: the first application partition, the bootloader's place, or the whole flash. */
function placeOf(bytes: Uint8Array, chip: EspChip): number {
  const { bootloaderAddress } = chip;
  if (bytes[0] === imageMagic) return hasEspDescriptor(bytes) ? appPartition : bootloaderAddress;
  const isMerged =
    bytes[bootloaderAddress] === imageMagic &&
    bytes.subarray(0, bootloaderAddress).every((byte) => byte === 0xff);
  return isMerged ? 0 : appPartition;
}
