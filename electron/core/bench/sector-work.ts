import type { FlashWork, Tell } from './flasher.ts';
import {
  type Block,
  compareBlock,
  type Sector,
  type SectorLayout,
  sizeOf,
} from './sector-layout.ts';

/** Sectors of one erase command: few enough to tell how far it is, many enough to save round trips. */
const mostErasedAtOnce = 16;

/** The commands of a bootloader that reads, erases and writes its flash by address. */
export interface SectorCommands {
  /** Absent where writing erases by itself; at most {@link mostErasedAtOnce} sectors. */
  erase?(sectorIndexes: readonly number[]): Promise<void>;
  write(block: Block): Promise<void>;
  read(address: number, sizeBytes: number): Promise<Uint8Array>;
  start(address: number): Promise<void>;
}

/** Sectors in which a byte differs; a sector is left at its first difference. */
async function changedSectors(
  commands: SectorCommands,
  sectors: readonly Sector[],
  tell: Tell,
): Promise<Sector[]> {
  const changed: Sector[] = [];
  for (const [done, sector] of sectors.entries()) {
    tell(done, sectors.length);
    for (const { address, bytes } of sector.blocks) {
      const found = await commands.read(address, bytes.length);
      if (bytes.some((byte, index) => byte !== found[index])) {
        changed.push(sector);
        break;
      }
    }
  }
  return changed;
}

/** Flashes by address: erases the sectors, writes what is not blank, reads everything back. */
export async function sectorWork(
  commands: SectorCommands,
  layout: SectorLayout,
  { changedOnly, tell }: { readonly changedOnly: boolean; readonly tell: Tell },
): Promise<FlashWork> {
  const sectors = changedOnly
    ? await changedSectors(commands, layout.sectors, tell)
    : layout.sectors;
  const blocks = sectors.flatMap((sector) => sector.blocks);
  const toWrite = blocks.filter(({ isBlank }) => !isBlank);
  return {
    totalBytes: sizeOf(toWrite),
    skippedBytes: layout.skippedBytes,
    unchangedBytes: layout.totalBytes - sizeOf(toWrite),
    ...(commands.erase && {
      erase: async (tellDone: Tell) => {
        for (let done = 0; done < sectors.length; done += mostErasedAtOnce) {
          tellDone(done, sectors.length);
          const some = sectors.slice(done, done + mostErasedAtOnce);
          await commands.erase?.(some.map(({ index }) => index));
        }
      },
    }),
    write: (tellDone) => each(toWrite, (block) => commands.write(block), tellDone),
    verify: async (tellDone) => {
      const compare = async (block: Block) =>
        compareBlock(block, await commands.read(block.address, block.bytes.length));
      await each(blocks, compare, tellDone);
      return 'read-back';
    },
    start: () => commands.start(layout.sectors[0]?.blocks[0]?.address ?? 0),
  };
}

async function each(
  blocks: readonly Block[],
  step: (block: Block) => Promise<void>,
  tell: Tell,
): Promise<void> {
  const total = sizeOf(blocks);
  let done = 0;
  for (const block of blocks) {
    await step(block);
    done += block.bytes.length;
    tell(done, total);
  }
}
