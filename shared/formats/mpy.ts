import type { ByteSource } from './byte-source.ts';
import { firstForeignByte, type ImageFacts } from './image-facts.ts';
import { walkMpy5 } from './mpy-5.ts';
import { MpyDamage, type MpyContent } from './mpy-content.ts';
import { walkMpy6 } from './mpy-6.ts';
import type { Processor } from './processor.ts';
import type { Report } from './report.ts';
import { ContentEnd, NumberTooLarge, SourceCursor } from './source-cursor.ts';

const headerBytes = 4;
const letterM = 0x4d;

/** Native architectures by number, with the processor family that each runs on. */
const architectures: readonly (readonly [name: string, processor?: Processor])[] = [
  ['none'],
  ['x86', 'x86'],
  ['x64', 'x86-64'],
  ['armv6', 'Arm'],
  ['armv6m', 'Arm'],
  ['armv7m', 'Arm'],
  ['armv7em', 'Arm'],
  ['armv7emsp', 'Arm'],
  ['armv7emdp', 'Arm'],
  ['xtensa', 'Xtensa'],
  ['xtensawin', 'Xtensa'],
  ['rv32imc', 'RISC-V'],
  ['rv64imc', 'RISC-V'],
];

/** What runs code of each version. */
const releases: ReadonlyMap<number, string> = new Map([
  [3, 'MicroPython 1.9.3 to 1.10'],
  [4, 'MicroPython 1.11'],
  [5, 'MicroPython 1.12 to 1.18'],
  [6, 'MicroPython 1.19 and newer'],
]);

/**
 * Reads a MicroPython bytecode file: header, strings, constants and every code object up to the end
 * of the file; the versions 3 and 4 are only recognised. Returns null after a blocking report.
 * Source: MicroPython, docs/reference/mpyfiles.rst and py/persistentcode.c.
 */
export async function readMpy(source: ByteSource, report: Report): Promise<ImageFacts | null> {
  const header = Uint8Array.from(await source.read(0, headerBytes));
  const [first, version = 0, features = 0, smallIntBits = 0] = header;
  if (header.length < headerBytes) {
    report('mpy.truncated', 'the header is not whole', { offset: header.length });
    return null;
  }
  if (first !== letterM || smallIntBits < 14 || smallIntBits > 64) {
    report('mpy.damaged', `small integers of ${smallIntBits} bits`, {
      offset: 3,
      expected: '14 to 64',
      found: String(smallIntBits),
    });
    return null;
  }
  const runs = releases.get(version);
  if (version !== 5 && version !== 6) {
    report('mpy.not-walked', `version ${version}${runs === undefined ? '' : ` (${runs})`}`, {
      offset: 1,
      expected: '5 or 6',
      found: String(version),
    });
    return {
      summary: `.mpy of version ${version}: the header is right`,
      segments: [],
      compressed: false,
    };
  }
  const content = await walk(source, version, features, report);
  if (content === null) return null;
  const foreign = await firstForeignByte(source, content.endOffset);
  if (foreign !== null) {
    report('mpy.damaged', 'bytes follow the last code object', { offset: foreign });
    return null;
  }
  const number = (features >> 2) & 0x2f;
  const [architecture, processor] = architectures[number] ?? [`architecture ${number}`];
  if (number !== 0) {
    const family = processor === undefined ? '' : ` (${processor})`;
    report('mpy.native', `machine code for ${architecture}${family}`, {
      offset: 2,
      found: architecture,
    });
  }
  report(
    'mpy.header',
    `version ${version === 6 ? `6.${features & 3}` : version} for ${runs}, "${content.sourceName}", ` +
      `${content.codeObjects} code objects, small integers of ${smallIntBits} bits`,
    { offset: 1 },
  );
  return {
    summary: `.mpy: ${content.strings} strings and ${content.codeObjects} code objects are whole`,
    segments: [],
    ...(processor === undefined ? {} : { processor }),
    compressed: false,
  };
}

async function walk(
  source: ByteSource,
  version: 5 | 6,
  features: number,
  report: Report,
): Promise<MpyContent | null> {
  const cursor = new SourceCursor(source, headerBytes);
  try {
    return version === 6 ? await walkMpy6(cursor, features) : await walkMpy5(cursor, features);
  } catch (error) {
    if (error instanceof ContentEnd) {
      report('mpy.truncated', 'the code reaches beyond the end', { offset: error.offset });
    } else if (error instanceof MpyDamage) {
      report('mpy.damaged', error.message, { offset: error.offset });
    } else if (error instanceof NumberTooLarge) {
      report('mpy.damaged', 'a length is absurd', { offset: error.offset });
    } else throw error;
    return null;
  }
}
