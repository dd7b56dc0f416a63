/** A family of processors that run the same machine code. */
export type Processor =
  | 'Arm'
  | 'AArch64'
  | 'RISC-V'
  | 'Xtensa'
  | 'AVR'
  | 'MSP430'
  | 'MIPS'
  | 'x86'
  | 'x86-64';

/** Families of chips by the beginning of their names, the more special ones first. */
const chips: readonly (readonly [name: RegExp, processors: readonly Processor[]])[] = [
  [/esp32(c|h|p)/, ['RISC-V']],
  // Their low-power core is a RISC-V, whose program is an ELF file of its own.
  [/esp32s[23]/, ['Xtensa', 'RISC-V']],
  [/esp(32|8266|8285)/, ['Xtensa']],
  [/stm32mp2/, ['Arm', 'AArch64']],
  [/stm32/, ['Arm']],
  [/nrf54/, ['Arm', 'RISC-V']],
  [/nrf5[1-3]|nrf9/, ['Arm']],
  [/rp2350/, ['Arm', 'RISC-V']],
  [/rp2040|samd|same[57]|sam[34]|lpc\d|mk[lw]?\d|mimxrt|efm32|efr32|cy8c|cc13|cc26|r7fa/, ['Arm']],
  [/gd32v|ch32[vx]|bl60|bl70/, ['RISC-V']],
  [/gd32|ch32f|at32f|hc32|apm32|mm32/, ['Arm']],
  [/atmega|attiny|atxmega|avr\d/, ['AVR']],
  [/msp430/, ['MSP430']],
  [/cortexm|armv[678]m/, ['Arm']],
];

/** Processors of a chip, as far as its name tells; null when it does not. */
export function processorsOf(chip: string): readonly Processor[] | null {
  const plain = chip.toLowerCase().replace(/[^a-z0-9]/g, '');
  return chips.find(([name]) => name.test(plain))?.[1] ?? null;
}
