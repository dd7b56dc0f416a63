import type { BenchRun } from '../../../../shared/domain/bench.ts';
import { lineEndings } from '../../../../shared/domain/console-names.ts';
import { parseHex } from '../../../../shared/domain/hex-bytes.ts';
import { problem } from '../../../../shared/domain/problem.ts';
import { faultText, isFault } from '../../../../shared/domain/text-fault.ts';
import type { Handlers } from '../../handlers.ts';
import type { Consoles } from './consoles.ts';

type ConsoleHandlers = Pick<Handlers, Extract<keyof Handlers, `bench.console.${string}`>>;

/** The calls of the serial consoles. */
export function consoleHandlers(
  consoles: Consoles,
  toWrite: (ref: string) => string,
): ConsoleHandlers {
  return {
    'bench.console.open': async ({ port, baudRate, parity }) =>
      (await consoles.open(port, { baudRate, parity })).state,
    'bench.console.close': async ({ port }) => {
      await consoles.close(port);
      return {};
    },
    'bench.console.list': async () => consoles.list().map(({ state }) => state),
    'bench.console.read': async (reading) => {
      const session = consoles.get(reading.port);
      const answer = await session.read(reading);
      return { ...answer, state: session.state };
    },
    'bench.console.send': async (input) => {
      const bytes =
        'hex' in input
          ? bytesOf(input.hex)
          : Buffer.from(input.text + lineEndings[input.lineEnding]);
      if (bytes.length > 0) await consoles.get(input.port).send(bytes);
      return { sentBytes: bytes.length };
    },
    'bench.console.signals': async ({ port, dtr, rts }) => ({
      hasModemLines: await consoles.get(port).setSignals({ dtr, rts }),
    }),
    'bench.console.clear': async ({ port }) => ({ clearedTo: consoles.get(port).clear() }),
    'bench.console.capture': async ({ port, out, form }) => {
      const session = consoles.get(port);
      await session.startCapture(toWrite(out), form);
      return session.state;
    },
    'bench.console.endCapture': ({ port }) => consoles.get(port).endCapture(),
  };
}

/** How a flash ended, for the console of its port. */
export function flashWords({ passed, result }: BenchRun): string {
  const booted = result.booted?.version ? `, booted ${result.booted.version}` : '';
  return `${passed ? 'Flashed' : 'The flash did not pass'}: ${result.chip}${result.verified ? ', verified' : ', NOT verified'}${booted}`;
}

function bytesOf(hex: string): Uint8Array {
  const bytes = parseHex(hex);
  if (!isFault(bytes)) return bytes;
  throw problem(
    'bad-hex',
    'These are no bytes in hexadecimal',
    faultText(bytes),
    'Write pairs of digits, for example 7f 00 a5.',
    'usage',
  );
}
