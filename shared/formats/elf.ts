import type { ImageSegment } from '../domain/finding.ts';
import type { ByteSource } from './byte-source.ts';
import { elfMachine } from './elf-machines.ts';
import { fieldText, type ImageFacts, viewOf } from './image-facts.ts';
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
const loadable = 1;
const symbolTable = 2;
const noBits = 8;
const identBytes = 16;
const mostHeaders = 65_536;
/** Count in the header that says: the true one stands in section 0. */
const manyPrograms = 0xffff;
const largestNameTableBytes = 1024 * 1024;

/** Offsets of the fields in both classes. */
interface Layout {
  readonly is64: boolean;
  readonly little: boolean;
  readonly headerBytes: number;
  readonly programBytes: number;
  readonly sectionBytes: number;
}

interface Header extends Layout {
  readonly type: number;
  readonly machine: number;
  readonly entry: number;
  readonly programsAt: number;
  readonly sectionsAt: number;
  readonly programs: number;
  readonly sections: number;
  readonly nameSection: number;
}

interface Program {
  readonly offset: number;
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly headerAt: number;
  readonly flags: number;
}

interface Section {
  readonly name: number;
  readonly type: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * Reads an ELF file: header, program headers and sections lie in the file, load segments do not
 * overlap, the entry point is in one; tells debug sections, symbols and segments that are both
 * writable and executable.
 * Returns null after a blocking report. Source: System V ABI, chapters 4 and 5.
 */
export async function readElf(source: ByteSource, report: Report): Promise<ImageFacts | null> {
  const header = await readHeader(source, report);
  if (header === null) return null;
  const programs = await readPrograms(source, header, report);
  if (programs === null) return null;
  const sections = await readSections(source, header, report);
  if (sections === null) return null;
  const loads = loadSegments(programs);
  if (!checkOverlap(loads, report)) return null;
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
    segments: loads,
    ...(processor === undefined ? {} : { processor }),
    compressed: false,
  };
}

/**
 * Segments with content at the addresses where they are written. Linkers without load addresses
 * leave every physical address 0; addresses of no flash (over 2^53) are left out.
 */
function loadSegments(programs: readonly Program[]): readonly ImageSegment[] {
  const isPhysical = programs.some(({ physicalAddress }) => physicalAddress !== 0);
  return programs
    .map(({ physicalAddress, virtualAddress, fileBytes }) => ({
      start: isPhysical ? physicalAddress : virtualAddress,
      sizeBytes: fileBytes,
    }))
    .filter(({ start, sizeBytes }) => sizeBytes > 0 && Number.isSafeInteger(start + sizeBytes))
    .sort((a, b) => a.start - b.start);
}

async function readHeader(source: ByteSource, report: Report): Promise<Header | null> {
  const bytes = await source.read(0, 64);
  const [elfClass, order] = [bytes[4], bytes[5]];
  if (
    bytes.length >= identBytes &&
    ((elfClass !== 1 && elfClass !== 2) || (order !== 1 && order !== 2))
  ) {
    report('elf.damaged', `class ${elfClass}, byte order ${order}`, {
      offset: 4,
      expected: '1 or 2',
    });
    return null;
  }
  const is64 = elfClass === 2;
  const layout: Layout = {
    is64,
    little: order === 1,
    headerBytes: is64 ? 64 : 52,
    programBytes: is64 ? 56 : 32,
    sectionBytes: is64 ? 64 : 40,
  };
  if (bytes.length < layout.headerBytes) {
    report('elf.truncated', 'the header is not whole', { offset: bytes.length });
    return null;
  }
  const view = viewOf(bytes);
  const half = (at: number) => view.getUint16(at, layout.little);
  const counts = is64 ? 52 : 40;
  const header: Header = {
    ...layout,
    type: half(16),
    machine: half(18),
    entry: word(view, 24, layout),
    programsAt: word(view, is64 ? 32 : 28, layout),
    sectionsAt: word(view, is64 ? 40 : 32, layout),
    programs: half(counts + 4),
    sections: half(counts + 8),
    nameSection: half(counts + 10),
  };
  const sizes = [half(counts), half(counts + 2), half(counts + 6)];
  const { headerBytes, programBytes, sectionBytes } = layout;
  if (
    (sizes[0] ?? 0) < headerBytes ||
    (header.programs > 0 && sizes[1] !== programBytes) ||
    (header.sections > 0 && sizes[2] !== sectionBytes)
  ) {
    report('elf.damaged', 'the sizes of the headers do not fit the class', {
      offset: counts,
      expected: `${headerBytes}, ${programBytes}, ${sectionBytes}`,
      found: sizes.join(', '),
    });
    return null;
  }
  return extended(source, header);
}

/** Counts that do not fit into 16 bits stand in section 0. */
async function extended(source: ByteSource, header: Header): Promise<Header> {
  const { sectionsAt, sectionBytes, sections, programs, nameSection, little, is64 } = header;
  const isExtended = (sections === 0 && sectionsAt > 0) || programs === manyPrograms;
  if (!isExtended || sectionsAt + sectionBytes > source.sizeBytes) return header;
  const view = viewOf(await source.read(sectionsAt, sectionBytes));
  return {
    ...header,
    sections: sections === 0 ? word(view, is64 ? 32 : 20, header) : sections,
    programs: programs === manyPrograms ? view.getUint32(is64 ? 44 : 28, little) : programs,
    nameSection: nameSection === 0xffff ? view.getUint32(is64 ? 40 : 24, little) : nameSection,
  };
}

/** An address or offset: 4 or 8 bytes by the class. Beyond 2^53 it is rounded, which no check minds. */
function word(view: DataView, at: number, { is64, little }: Layout): number {
  return is64 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
}

/** Reads a table of headers in windows; null after a blocking report. */
async function readTable<T>(
  source: ByteSource,
  name: string,
  {
    from,
    count,
    sizeBytes,
  }: { readonly from: number; readonly count: number; readonly sizeBytes: number },
  parse: (view: DataView, offset: number) => T | null,
  report: Report,
): Promise<T[] | null> {
  if (count > mostHeaders) {
    report('elf.damaged', `${count} ${name} headers`, { expected: `at most ${mostHeaders}` });
    return null;
  }
  const end = from + count * sizeBytes;
  if (end > source.sizeBytes) {
    report('elf.truncated', `the ${name} headers reach beyond the end`, {
      offset: Math.min(from, source.sizeBytes),
      expected: `${end} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return null;
  }
  const entries: T[] = [];
  const perWindow = 1024;
  for (let index = 0; index < count; index += perWindow) {
    const offset = from + index * sizeBytes;
    const bytes = await source.read(offset, Math.min(perWindow, count - index) * sizeBytes);
    for (let at = 0; at + sizeBytes <= bytes.length; at += sizeBytes) {
      const entry = parse(viewOf(bytes.subarray(at, at + sizeBytes)), offset + at);
      if (entry !== null) entries.push(entry);
    }
  }
  return entries;
}

async function readPrograms(
  source: ByteSource,
  header: Header,
  report: Report,
): Promise<readonly Program[] | null> {
  const { is64, little, programsAt, programs: count, programBytes: sizeBytes } = header;
  const field = (view: DataView, in64: number, in32: number) =>
    word(view, is64 ? in64 : in32, header);
  const all = await readTable(
    source,
    'program',
    { from: programsAt, count, sizeBytes },
    (view, headerAt) => ({
      isLoad: view.getUint32(0, little) === loadable,
      offset: field(view, 8, 4),
      virtualAddress: field(view, 16, 8),
      physicalAddress: field(view, 24, 12),
      fileBytes: field(view, 32, 16),
      memoryBytes: field(view, 40, 20),
      headerAt,
      flags: view.getUint32(is64 ? 4 : 24, little),
    }),
    report,
  );
  if (all === null) return null;
  for (const { isLoad, offset, fileBytes, memoryBytes, headerAt } of all) {
    if (fileBytes > 0 && offset + fileBytes > source.sizeBytes) {
      report('elf.truncated', 'a segment reaches beyond the end', {
        offset: headerAt,
        expected: `${offset + fileBytes} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    if (isLoad && fileBytes > memoryBytes) {
      report('elf.damaged', 'a segment is larger in the file than in memory', {
        offset: headerAt,
        expected: `at most ${memoryBytes} bytes`,
        found: `${fileBytes} bytes`,
      });
      return null;
    }
  }
  return all.filter(({ isLoad }) => isLoad);
}

async function readSections(
  source: ByteSource,
  header: Header,
  report: Report,
): Promise<readonly Section[] | null> {
  const { is64, little, sectionsAt, sections: count, sectionBytes: sizeBytes } = header;
  const found = await readTable(
    source,
    'section',
    { from: sectionsAt, count, sizeBytes },
    (view) => ({
      name: view.getUint32(0, little),
      type: view.getUint32(4, little),
      offset: word(view, is64 ? 24 : 16, header),
      sizeBytes: word(view, is64 ? 32 : 20, header),
    }),
    report,
  );
  if ((found?.[0]?.type ?? 0) !== 0) {
    report('elf.damaged', 'section 0 is no empty one', { offset: sectionsAt + 4 });
    return null;
  }
  // Section 0 holds no content: its fields serve the extended counts.
  for (const [index, section] of (found ?? []).entries()) {
    const end = section.offset + section.sizeBytes;
    if (index === 0 || section.type === 0 || section.type === noBits || end <= source.sizeBytes)
      continue;
    report('elf.truncated', `section ${index} reaches beyond the end`, {
      offset: sectionsAt + index * sizeBytes,
      expected: `${end} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return null;
  }
  return found;
}

/** Two segments at the same load address would overwrite each other. */
function checkOverlap(segments: readonly ImageSegment[], report: Report): boolean {
  let highest = 0;
  for (const { start, sizeBytes } of segments) {
    if (start < highest) {
      report('elf.overlap', `again at ${hexAddress(start)}`, { found: hexAddress(start) });
      return false;
    }
    highest = start + sizeBytes;
  }
  return true;
}

/** Memory that is written and run lets whoever finds a flaw bring code along. */
function checkFlags(programs: readonly Program[], report: Report): void {
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
  { nameSection }: Header,
  sections: readonly Section[],
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
