import type { TextFault } from './text-fault.ts';

/** One step: both modem lines at once (true is asserted), or a wait. */
export type ResetStep =
  | { readonly dtr: boolean; readonly rts: boolean }
  | { readonly waitMs: number };

const mostWaitMs = 10_000;
const mostSteps = 64;

/** Sequences for usual boards; 1 means asserted, which is a low level at the pin of the adapter. */
export const resetTemplates = [
  {
    id: 'stm32-direct',
    name: 'STM32: DTR to NRST, RTS to BOOT0, wired directly',
    text: 'dtr=1 rts=0; wait 100ms; dtr=0; wait 100ms',
  },
  {
    id: 'stm32-inverted',
    name: 'STM32: DTR to NRST, RTS to BOOT0, through inverting transistors',
    text: 'dtr=0 rts=1; wait 100ms; dtr=1; wait 100ms',
  },
  {
    id: 'esp-classic',
    name: 'ESP32, ESP8266: DTR and RTS through two transistors',
    text: 'dtr=0 rts=1; wait 100ms; dtr=1 rts=0; wait 50ms; dtr=0',
  },
  {
    id: 'esp-usb-jtag',
    name: 'ESP32-C3, S3 and later: built-in USB Serial/JTAG',
    text: 'dtr=0 rts=0; wait 100ms; dtr=1; wait 100ms; rts=1; dtr=0; wait 100ms; rts=0',
  },
  {
    id: 'arduino',
    name: 'Arduino: pulse on DTR',
    text: 'dtr=0 rts=0; wait 50ms; dtr=1 rts=1; wait 100ms',
  },
] as const;

/**
 * Reads a sequence such as `dtr=1 rts=0; wait 100ms; dtr=0`: steps apart by `;` or line ends, lines of one step set at
 * the same time. A line that a step does not name stays; both begin asserted, as opening a port leaves them.
 */
export function parseResetSequence(text: string): readonly ResetStep[] | TextFault {
  const steps: ResetStep[] = [];
  let lines = { dtr: true, rts: true };
  for (const { position, text: step } of piecesOf(text, /[^;\n]+/g)) {
    const words = piecesOf(step, /\S+/g).map((word) => ({
      text: word.text.toLowerCase(),
      position: position + word.position,
    }));
    const [first] = words;
    if (!first) continue;
    if (first.text.startsWith('wait')) {
      const wait = readWait(text.slice(first.position, position + step.trimEnd().length));
      if (typeof wait === 'string')
        return faultAt(first.position, position + step.trimEnd().length, wait);
      steps.push({ waitMs: wait });
    } else {
      for (const word of words) {
        const [, line, level] = /^(dtr|rts)=([01])$/.exec(word.text) ?? [];
        if (!line)
          return faultAt(
            word.position,
            word.position + word.text.length,
            `“${word.text}” is no step: write dtr=0, dtr=1, rts=0, rts=1 or wait 100ms`,
          );
        lines = { ...lines, [line]: level === '1' };
      }
      steps.push(lines);
    }
    if (steps.length > mostSteps)
      return faultAt(first.position, text.length, `At most ${mostSteps} steps are possible`);
  }
  if (!steps.some((step) => 'dtr' in step))
    return faultAt(0, text.length, 'No step sets DTR or RTS');
  return steps;
}

/** A sequence as text that {@link parseResetSequence} reads. */
export const resetSequenceText = (steps: readonly ResetStep[]): string =>
  steps
    .map((step) =>
      'waitMs' in step
        ? `wait ${step.waitMs}ms`
        : `dtr=${Number(step.dtr)} rts=${Number(step.rts)}`,
    )
    .join('; ');

/** Milliseconds of a wait, or why it is none. */
function readWait(text: string): number | string {
  const [, amount, unit] = /^wait\s+(\d+(?:\.\d+)?)\s*(ms|s)$/i.exec(text) ?? [];
  if (!amount) return 'A wait has a number and ms or s, for example wait 100ms';
  const waitMs = Number(amount) * (unit?.toLowerCase() === 's' ? 1000 : 1);
  return waitMs <= mostWaitMs ? waitMs : `A wait is at most ${mostWaitMs / 1000} s`;
}

const piecesOf = (text: string, pattern: RegExp): { position: number; text: string }[] =>
  [...text.matchAll(pattern)].map((match) => ({ position: match.index, text: match[0] }));

const faultAt = (position: number, end: number, message: string): TextFault => ({
  position,
  length: Math.max(0, end - position),
  message,
});
