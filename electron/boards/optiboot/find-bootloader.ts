import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';
import { type FirmwareImage, readFirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { isBootloader } from './virtual-optiboot.ts';

const run = promisify(execFile);
const source = '/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c';
const bootStart = '0x7e00';
const versionAddress = '0x7ffe';
/** As the Makefile beside the source, without the LED, whose code no longer fits into 512 bytes. */
const compilerOptions = [
  '-Os',
  '-fno-split-wide-types',
  '-mmcu=atmega328p',
  '-DF_CPU=16000000L',
  '-DLED_START_FLASHES=0',
  '-DBAUD_RATE=115200',
  `-Wl,--section-start=.text=${bootStart},--section-start=.version=${versionAddress},--relax`,
  '-nostartfiles',
  '-nostdlib',
] as const;
const sections = ['-j', '.text', '-j', '.data', '-j', '.version'] as const;

/**
 * The bootloader of a virtual Arduino Uno: the given file, or Optiboot built from Debian's arduino-core-avr, since it
 * is under the GPL and not part of this program.
 * @throws ProblemError `bootloader-missing` | `not-a-bootloader`
 */
export async function findBootloader(path: string | undefined): Promise<FirmwareImage> {
  const image = path === undefined ? await build() : await read(path);
  if (isBootloader(image)) return image;
  throw problem(
    'not-a-bootloader',
    'This is no bootloader for an ATmega328P',
    `${path ?? source} does not lie wholly in the boot section, 0x4000 to 0x7FFF.`,
    'Choose an Intel HEX file of Optiboot or ATmegaBOOT for the ATmega328P.',
    'usage',
  );
}

const read = async (path: string): Promise<FirmwareImage> =>
  readFirmwareImage(basename(path), await readFile(path));

async function build(): Promise<FirmwareImage> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-optiboot-'));
  const [elf, hex] = [join(folder, 'optiboot.elf'), join(folder, 'optiboot.hex')];
  try {
    await run('avr-gcc', [...compilerOptions, '-o', elf, source]);
    const flags = ['--set-section-flags', '.version=alloc,load', '-O', 'ihex'];
    await run('avr-objcopy', [...sections, ...flags, elf, hex]);
    return await read(hex);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw problem(
      'bootloader-missing',
      'There is no bootloader for the virtual board',
      `Optiboot could not be built from ${source}: ${(error as Error).message.split('\n')[0]}`,
      'apt-get install arduino-core-avr, or give one with --bootloader FILE.',
      'usage',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
