import type { ByteSource } from './byte-source.ts';
import {
  type ElfSection,
  type ElfTables,
  loadAddress,
  noBits,
  readElfTables,
  word,
} from './elf-tables.ts';
import { readRange, viewOf } from './image-facts.ts';
import type { Report } from './report.ts';
import { decodeName } from './text.ts';

const symbolTable = 2;
const allocated = 2;
const armMachine = 40;
const largestNamesBytes = 64 * 1024 * 1024;
const longestName = 512;
/** So many times over may sections or symbols claim the bytes of the file: aliases are common, a stack of them is an attack. */
const mostOverlap = 8;
const mostSymbols = 1_000_000;
/** Sections that symbols name from here on are not sections: absolute values, common symbols. */
const firstReservedSection = 0xff00;
const symbolKinds: ReadonlyMap<number, ElfPart['kind']> = new Map([
  [0, 'label'],
  [1, 'object'],
  [2, 'function'],
]);

/** A section that lies in memory, or a symbol in one. */
export interface ElfPart {
  readonly name: string;
  readonly kind: 'section' | 'function' | 'object' | 'label';
  /** Where it is while the program runs. */
  readonly address: number;
  /** Where it is written in the flash; another address for initialised data. */
  readonly loadAddress: number;
  readonly sizeBytes: number;
  /** Null for what the file holds no bytes of. */
  readonly bytes: Uint8Array | null;
}

/** Sections and symbols of an ELF file that lie in memory. */
export interface ElfParts {
  readonly sections: readonly ElfPart[];
  readonly symbols: readonly ElfPart[];
}

/**
 * Reads the sections that lie in memory and the functions, objects and labels in them; not the mapping symbols of ARM, nor
 * values that are no place. Returns null after a blocking report. Source: System V ABI, chapter 4, "Symbol Table".
 */
export async function readElfParts(source: ByteSource, report: Report): Promise<ElfParts | null> {
  const tables = await readElfTables(source, report);
  if (tables === null) return null;
  const { header, sections } = tables;
  const sectionNames = await readNames(source, sections[header.nameSection]);
  const parts = new Map<number, ElfPart>();
  let leftBytes = mostOverlap * source.sizeBytes;
  for (const [index, section] of sections.entries()) {
    if ((section.flags & allocated) === 0 || section.type === 0) continue;
    if (section.type !== noBits) leftBytes -= section.sizeBytes;
    if (leftBytes < 0) {
      report('elf.damaged', `section ${index} shares its bytes with too many others`);
      return null;
    }
    parts.set(index, {
      name: sectionNames(section.name),
      kind: 'section',
      address: section.address,
      loadAddress: sectionLoadAddress(tables, section),
      sizeBytes: section.sizeBytes,
      bytes: section.type === noBits ? null : await readWhole(source, section),
    });
  }
  const symbols = await readSymbols(source, tables, parts);
  const symbolBytes = symbols.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
  if (symbolBytes > mostOverlap * source.sizeBytes) {
    report('elf.damaged', `symbols claim ${symbolBytes} bytes of a file of ${source.sizeBytes}`);
    return null;
  }
  return { sections: [...parts.values()], symbols };
}

function sectionLoadAddress({ programs }: ElfTables, section: ElfSection): number {
  const { address } = section;
  const program = programs.find(
    ({ virtualAddress, memoryBytes }) =>
      address >= virtualAddress && address < virtualAddress + memoryBytes,
  );
  return program ? loadAddress(programs, program) + address - program.virtualAddress : address;
}

async function readSymbols(
  source: ByteSource,
  { header, sections }: ElfTables,
  parts: ReadonlyMap<number, ElfPart>,
): Promise<readonly ElfPart[]> {
  const table = sections.find(({ type }) => type === symbolTable);
  if (!table) return [];
  const { is64, little, machine } = header;
  const names = await readNames(source, sections[table.link]);
  const entryBytes = is64 ? 24 : 16;
  const count = Math.min(mostSymbols, Math.floor(table.sizeBytes / entryBytes));
  const view = viewOf(
    await readWhole(source, { offset: table.offset, sizeBytes: count * entryBytes }),
  );
  const symbols: ElfPart[] = [];
  for (let at = 0; at + entryBytes <= view.byteLength; at += entryBytes) {
    const type = view.getUint8(at + (is64 ? 4 : 12)) & 15;
    const sectionIndex = view.getUint16(at + (is64 ? 6 : 14), little);
    const kind = symbolKinds.get(type);
    const section = sectionIndex < firstReservedSection ? parts.get(sectionIndex) : undefined;
    if (kind === undefined || section === undefined) continue;
    const name = names(view.getUint32(at, little));
    if (name === '' || name.startsWith('$')) continue;
    const value = word(view, at + (is64 ? 8 : 4), header);
    // The lowest bit of the address of a function says that it is Thumb code.
    const address = machine === armMachine && kind === 'function' ? value - (value % 2) : value;
    const sizeBytes = word(view, at + (is64 ? 16 : 8), header);
    const from = address - section.address;
    symbols.push({
      name,
      kind,
      address,
      loadAddress: section.loadAddress + from,
      sizeBytes,
      bytes: section.bytes?.subarray(Math.max(0, from), Math.max(0, from + sizeBytes)) ?? null,
    });
  }
  return symbols;
}

async function readNames(
  source: ByteSource,
  table: ElfSection | undefined,
): Promise<(offset: number) => string> {
  if (!table || table.type === noBits || table.sizeBytes > largestNamesBytes) return () => '';
  const bytes = await readWhole(source, table);
  return (offset) => {
    const end = bytes.indexOf(0, offset);
    const stop = Math.min(end < 0 ? bytes.length : end, offset + longestName);
    return decodeName(bytes.subarray(offset, stop));
  };
}

async function readWhole(
  source: ByteSource,
  { offset, sizeBytes }: Pick<ElfSection, 'offset' | 'sizeBytes'>,
): Promise<Uint8Array> {
  const whole = new Uint8Array(Math.max(0, Math.min(sizeBytes, source.sizeBytes - offset)));
  let at = 0;
  for await (const bytes of readRange(source, offset, offset + whole.length)) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}
