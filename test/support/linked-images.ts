import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A function or object of an assembled image: its content as directives, `.long 1` for example. */
export interface AssembledSymbol {
  readonly name: string;
  readonly type: 'function' | 'object';
  readonly section: '.text' | '.rodata' | '.data' | '.bss';
  readonly body: string;
}

/** Assembles and links an ELF file with binutils: code and constants in flash, data copied from there to RAM. Gives its path. */
export function linkImage(
  folder: string,
  name: string,
  symbols: readonly AssembledSymbol[],
): string {
  const path = (extension: string): string => join(folder, `${name}.${extension}`);
  const source = symbols.map(
    ({ name: symbol, type, section, body }) =>
      `${section === '.rodata' ? '.section .rodata' : section}\n.type ${symbol},%${type}\n${symbol}:\n${body}\n.size ${symbol}, . - ${symbol}\n`,
  );
  writeFileSync(path('s'), source.join(''));
  writeFileSync(
    path('ld'),
    `SECTIONS {
  .text 0x08000000 : { *(.text) }
  .rodata : { *(.rodata) }
  .data 0x20000000 : AT (0x08010000) { *(.data) }
  .bss : { *(.bss) }
}
`,
  );
  execFileSync('as', ['-o', path('o'), path('s')]);
  execFileSync('ld', ['-T', path('ld'), '-e', '0x08000000', '-o', path('elf'), path('o')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return path('elf');
}
