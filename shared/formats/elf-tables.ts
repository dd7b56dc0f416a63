import type { ByteSource } from './byte-source.ts';
import { viewOf } from './image-facts.ts';
import { hexAddress, type Report } from './report.ts';

const loadable = 1;
const identBytes = 16;
const mostHeaders = 65_536;
/** Count in the header that says: the true one stands in section 0. */
const manyPrograms = 0xffff;
/** Type of a section that takes no room in the file. */
export const noBits = 8;

/** Offsets of the fields in both classes. */
export interface ElfLayout {
  readonly is64: boolean;
  readonly little: boolean;
  readonly headerBytes: number;
  readonly programBytes: number;
  readonly sectionBytes: number;
}

/** What the file header says; offsets in the file. */
export interface ElfHeader extends ElfLayout {
  readonly type: number;
  readonly machine: number;
  readonly entry: number;
  readonly programsAt: number;
  readonly sectionsAt: number;
  readonly programs: number;
  readonly sections: number;
  readonly nameSection: number;
}

/** A program header of a segment that is loaded. */
export interface ElfProgram {
  readonly offset: number;
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly headerAt: number;
  readonly flags: number;
}

/** A section header; `name` is an offset in the table of names. */
export interface ElfSection {
  readonly name: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Index of a section that belongs to it: the names of a symbol table. */
  readonly link: number;
}

/** The tables of an ELF file, checked to lie in it. */
export interface ElfTables {
  readonly header: ElfHeader;
  /** Of the segments that are loaded. */
  readonly programs: readonly ElfProgram[];
  readonly sections: readonly ElfSection[];
}

/** A run of bytes of a file that goes to an address. */
export interface Extent {
  readonly start: number;
  readonly sizeBytes: number;
  /** Where it begins in the file. */
  readonly at: number;
}

/** Reads header, program headers and sections. Returns null after a blocking report. Source: System V ABI, chapters 4 and 5. */
export async function readElfTables(source: ByteSource, report: Report): Promise<ElfTables | null> {
  const header = await readHeader(source, report);
  if (header === null) return null;
  const programs = await readPrograms(source, header, report);
  if (programs === null) return null;
  const sections = await readSections(source, header, report);
  return sections === null ? null : { header, programs, sections };
}

/**
 * Segments with content at the addresses where they are written, ascending. Linkers without load
 * addresses leave every physical address 0; addresses of no flash (over 2^53) are left out. Null after a
 * report of two at the same address.
 */
export function loadExtents(
  programs: readonly ElfProgram[],
  report: Report,
): readonly Extent[] | null {
  const extents = programs
    .map((program) => ({
      start: loadAddress(programs, program),
      sizeBytes: program.fileBytes,
      at: program.offset,
    }))
    .filter(({ start, sizeBytes }) => sizeBytes > 0 && Number.isSafeInteger(start + sizeBytes))
    .sort((a, b) => a.start - b.start);
  return checkOverlap(extents, report) ? extents : null;
}

/** Where a segment is written. */
export function loadAddress(
  programs: readonly ElfProgram[],
  { physicalAddress, virtualAddress }: ElfProgram,
): number {
  const isPhysical = programs.some((program) => program.physicalAddress !== 0);
  return isPhysical ? physicalAddress : virtualAddress;
}

async function readHeader(source: ByteSource, report: Report): Promise<ElfHeader | null> {
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
  const layout: ElfLayout = {
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
  const header: ElfHeader = {
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
async function extended(source: ByteSource, header: ElfHeader): Promise<ElfHeader> {
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

/** An address or offset of the file: 4 or 8 bytes by the class. Beyond 2^53 it is rounded, which no check minds. */
export function word(view: DataView, at: number, { is64, little }: ElfLayout): number {
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
  header: ElfHeader,
  report: Report,
): Promise<readonly ElfProgram[] | null> {
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
  header: ElfHeader,
  report: Report,
): Promise<readonly ElfSection[] | null> {
  const { is64, little, sectionsAt, sections: count, sectionBytes: sizeBytes } = header;
  const found = await readTable(
    source,
    'section',
    { from: sectionsAt, count, sizeBytes },
    (view) => ({
      name: view.getUint32(0, little),
      type: view.getUint32(4, little),
      flags: word(view, 8, header),
      address: word(view, is64 ? 16 : 12, header),
      offset: word(view, is64 ? 24 : 16, header),
      sizeBytes: word(view, is64 ? 32 : 20, header),
      link: view.getUint32(is64 ? 40 : 24, little),
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
function checkOverlap(segments: readonly Extent[], report: Report): boolean {
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
