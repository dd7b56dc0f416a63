import type { ByteSource } from './byte-source.ts';
import { elfMachine } from './elf-machines.ts';
import {
  type ElfHeader,
  type ElfProgram,
  type ElfSection,
  loadExtents,
  readElfTables,
} from './elf-tables.ts';
import { fieldText, type ImageFacts } from './image-facts.ts';
import { hexAddress, type Report } from './report.ts';

/** Names of the machines of ELF files (`e_machine`). */
export const types: ReadonlyMap<number, string> = new Map([
  [1, 'relocatable'],
  [2, 'executable'],
  [3, 'shared object'],
  [4, 'core dump'],
]);

const executable = 2;
/** Flags of a segment that may be written and run. */
const writableAndExecutable = 3;
const symbolTable = 2;
const largestNameTableBytes = 1024 * 1024;

/**
 * Reads an ELF file: header, program headers and sections lie in the file, load segments do not
 * overlap, the entry point is in one; tells debug sections, symbols and segments that are both
 * writable and executable.
 * Returns null after a blocking report. Source: System V ABI, chapters 4 and 5.
 */
export async function readElf(source: ByteSource, report: Report): Promise<ImageFacts | null> {
  const tables = await readElfTables(source, report);
  if (tables === null) return null;
  const loads = loadExtents(tables.programs, report);
  if (loads === null) return null;
  const { header, programs, sections } = tables;
  const { type, machine, entry, is64, little } = header;
  const isLoaded = programs.some(
    ({ virtualAddress, memoryBytes }) =>
      entry >= virtualAddress && entry < virtualAddress + memoryBytes,
  );
  if (type === executable && entry !== 0 && !isLoaded) {
    report('elf.entry', `no load segment holds ${hexAddress(entry)}`, {
      offset: 24,
      found: hexAddress(entry),
    });
  }
  const kind = types.get(type) ?? `type ${type}`;
  const { name: target, processor } = elfMachine(machine);
  report(
    'elf.header',
    `${is64 ? 64 : 32} bit, ${little ? 'little' : 'big'}-endian, ${target}, ${kind}`,
    {
      offset: 18,
    },
  );
  checkFlags(programs, report);
  await checkHygiene(source, header, sections, report);
  return {
    summary: `ELF: ${programs.length} load segments and ${sections.length} sections lie in the file`,
    segments: loads.map(({ start, sizeBytes }) => ({ start, sizeBytes })),
    ...(processor === undefined ? {} : { processor }),
    compressed: false,
  };
}

/** Memory that is written and run lets whoever finds a flaw bring code along. */
function checkFlags(programs: readonly ElfProgram[], report: Report): void {
  const open = programs.filter(
    ({ flags, memoryBytes }) =>
      (flags & writableAndExecutable) === writableAndExecutable && memoryBytes > 0,
  );
  const [first] = open;
  if (first === undefined) return;
  report('elf.rwx', `${open.length} segments, the first at ${hexAddress(first.virtualAddress)}`, {
    offset: first.headerAt,
  });
}

async function checkHygiene(
  source: ByteSource,
  { nameSection }: ElfHeader,
  sections: readonly ElfSection[],
  report: Report,
): Promise<void> {
  const table = sections[nameSection];
  if (table !== undefined && table.sizeBytes <= largestNameTableBytes) {
    const names = await source.read(table.offset, table.sizeBytes);
    const debug = sections
      .map(({ name, sizeBytes }) => ({
        name: fieldText(names.subarray(name, name + 64)),
        sizeBytes,
      }))
      .filter(({ name }) => /^\.z?debug_/.test(name));
    const bytes = debug.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (debug.length > 0) {
      report('elf.debug-sections', `${debug.length} sections with ${bytes} bytes`, {
        found: debug
          .map(({ name }) => name)
          .slice(0, 8)
          .join(' '),
      });
    }
  }
  const symbols = sections.find(({ type }) => type === symbolTable);
  if (symbols !== undefined) {
    report('elf.symbols', `${symbols.sizeBytes} bytes`, { offset: symbols.offset });
  }
}
