import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from './peers.ts';

/** Builds an application for the ATmega328P that prints its version; returns its Intel HEX file. */
export async function avrApp(
  folder: string,
  { version, fillerBytes = 64 }: { readonly version: string; readonly fillerBytes?: number },
): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const [elf, path] = [join(folder, `${version}.elf`), join(folder, `${version}.hex`)];
  const defines = [`-DVERSION="${version}"`, `-DFILLER_BYTES=${fillerBytes}`, '-DF_CPU=16000000L'];
  const options = ['-Os', '-mmcu=atmega328p', ...defines, 'test/support/avr-app.c', '-o', elf];
  for (const [tool, args] of [
    ['avr-gcc', options],
    ['avr-objcopy', ['-O', 'ihex', elf, path]],
  ] as const) {
    const { code, stderr } = await peer(tool, args, 'arduino-core-avr');
    if (code !== 0) throw new Error(stderr);
  }
  return { path, bytes: new Uint8Array(await readFile(path)) };
}
