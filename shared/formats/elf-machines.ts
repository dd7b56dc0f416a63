import type { Processor } from './processor.ts';

interface ElfMachine {
  readonly name: string;
  /** What runs the machine code, where {@link Processor} has a name for it. */
  readonly processor?: Processor;
}

/** Machines by `e_machine`; a text alone is both names. */
const machines: ReadonlyMap<number, Processor | ElfMachine> = new Map<
  number,
  Processor | ElfMachine
>([
  [3, 'x86'],
  [8, 'MIPS'],
  [20, { name: 'PowerPC' }],
  [21, { name: 'PowerPC64' }],
  [40, 'Arm'],
  [42, { name: 'SuperH' }],
  [62, 'x86-64'],
  [83, 'AVR'],
  [94, 'Xtensa'],
  [105, 'MSP430'],
  [183, 'AArch64'],
  [195, { name: 'ARC v2' }],
  [243, 'RISC-V'],
  [258, { name: 'LoongArch' }],
]);

/** The machine that an ELF file is for. Source: System V ABI, chapter 4, `e_machine`. */
export function elfMachine(id: number): ElfMachine {
  const machine = machines.get(id) ?? { name: `machine ${id}` };
  return typeof machine === 'string' ? { name: machine, processor: machine } : machine;
}
