/** One part of a bench run: what went over the wire, and how long it took. */
export interface Phase {
  readonly wireBytes: number;
  readonly elapsedMs: number;
}

interface Line {
  readonly t: number;
  readonly dir: 'rx' | 'tx' | 'note';
  readonly hex?: string;
  readonly text?: string;
}

const commands = { erase: '43bc', write: '31ce', read: '11ee' } as const;

/** The phases of a whole STM32 run, from the first command of each to the first of the next. */
export function readRecording(text: string): {
  erase: Phase;
  write: Phase;
  verify: Phase;
  /** From the first word on the line to the end of the verification. */
  wholeMs: number;
} {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const first = (hex: string, from = 0): number =>
    lines.findIndex((line, at) => at >= from && line.dir === 'tx' && line.hex === hex);
  const verified = lines.findIndex((line) => line.text?.startsWith('verified'));
  const phase = (from: number, to: number): Phase => ({
    wireBytes: lines
      .slice(from, to)
      .reduce((sum, line) => sum + (line.hex === undefined ? 0 : line.hex.length / 2), 0),
    elapsedMs: (lines[to]?.t ?? Number.NaN) - (lines[from]?.t ?? Number.NaN),
  });
  const [erase, write] = [first(commands.erase), first(commands.write)];
  // The unique id of the chip is read before.
  const read = first(commands.read, write);
  return {
    erase: phase(erase, write),
    write: phase(write, read),
    verify: phase(read, verified),
    wholeMs: phase(0, verified).elapsedMs,
  };
}

const bitsPerByte = 11;
const bitsPerMs = 115.2;
const programMsPerByte = 0.0525 / 2;
const erasePageMs = 20;

/** The least time that 115200 baud 8E1 and the flash of an STM32F103 (typical values) allow. */
export function floorMs(wireBytes: number, { programmedBytes = 0, erasedPages = 0 }): number {
  return (
    (wireBytes * bitsPerByte) / bitsPerMs +
    programmedBytes * programMsPerByte +
    erasedPages * erasePageMs
  );
}
