import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SerialPort } from 'serialport';
import type { Parity } from '../../../shared/domain/console-names.ts';
import { portHolders } from './port-holders.ts';
import { isPseudoTerminal } from './ports.ts';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';

/** A serial line, real or virtual. */
export interface SerialLink {
  /** Resolves when the bytes were handed over. @throws ProblemError `port-lost` */
  write(bytes: Uint8Array): Promise<void>;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called once when the line goes away by itself. */
  onLost(listener: () => void): void;
  /** Whether the line is still there: a lost one is not always told, and then only seems silent. */
  isPresent(): Promise<boolean>;
  setLine(options: LinkOptions): Promise<void>;
  /** Sets the modem lines, true is asserted; false when the port has none, as a pseudo terminal. */
  setSignals(signals: ModemSignals): Promise<boolean>;
  close(): Promise<void>;
}

/** How a line is opened: 8 data bits, 1 stop bit. */
export interface LinkOptions {
  readonly baudRate: number;
  readonly parity: Parity;
}
/** The lines that boards wire to reset and to their boot pin. */
export interface ModemSignals {
  readonly dtr: boolean;
  readonly rts: boolean;
}
export type OpenLink = (path: string, options: LinkOptions) => Promise<SerialLink>;

export const portLost = (path: string) =>
  problem(
    'port-lost',
    'The port was lost',
    `${path} went away while it was in use.`,
    'Plug the board in again and flash once more; a half-written board is never reported good.',
  );

/** Opens a port of the system. @throws ProblemError `port-not-found` | `port-busy` | `no-permission` | `port-failed` */
export const openSerialPort: OpenLink = async (path, options) => {
  let port = await open(path, options);
  let line = options;
  let isClosing = false;
  const dataListeners: ((bytes: Uint8Array) => void)[] = [];
  const lostListeners: (() => void)[] = [];
  const lost = (): void => {
    if (!isClosing) for (const listener of lostListeners) listener();
  };
  const attach = (): void => {
    port.on('data', (bytes: Buffer) => dataListeners.forEach((listener) => listener(bytes)));
    port.on('close', lost);
    port.on('error', lost);
  };
  attach();
  const shut = async (): Promise<void> => {
    isClosing = true;
    if (port.isOpen) await new Promise<void>((done) => port.close(() => done()));
  };
  return {
    write: (bytes) =>
      // Without drain: the protocols wait for an answer anyway, and draining costs milliseconds on USB adapters.
      new Promise((done, fail) => {
        port.write(bytes, (error) => (error ? fail(portLost(path)) : done()));
      }),
    onData: (listener) => void dataListeners.push(listener),
    onLost: (listener) => void lostListeners.push(listener),
    // A terminal that hangs up during a read reads as endlessly empty; its device file is gone, though.
    isPresent: async () =>
      process.platform === 'win32' ||
      access(path).then(
        () => true,
        () => false,
      ),
    async setLine(wanted) {
      const isSameParity = wanted.parity === line.parity;
      line = wanted;
      // A pseudo terminal has no parity, and closing it would lose what arrives meanwhile.
      if (isSameParity || (await isPseudoTerminal(path))) {
        await new Promise<void>((done, fail) =>
          port.update({ baudRate: wanted.baudRate }, (error) =>
            error ? fail(portLost(path)) : done(),
          ),
        );
        return;
      }
      await shut();
      port = await open(path, wanted);
      isClosing = false;
      attach();
    },
    setSignals: (signals) => new Promise((done) => port.set(signals, (error) => done(!error))),
    close: shut,
  };
};

/** How long a port may be away: a board that has just reset enumerates anew. */
const awayMs = 1000;
const retryMs = 50;

async function open(path: string, options: LinkOptions): Promise<SerialPort> {
  const deadlineMs = performance.now() + awayMs;
  for (;;) {
    try {
      return await openOnce(path, options);
    } catch (error) {
      const isAway = error instanceof ProblemError && error.problem.code === 'port-not-found';
      if (!isAway || performance.now() > deadlineMs) throw error;
      await sleep(retryMs);
    }
  }
}

async function openOnce(path: string, options: LinkOptions): Promise<SerialPort> {
  // The native addon is loaded only where a port is really opened.
  const serialport = await import('serialport');
  return new Promise((done, fail) => {
    const port = new serialport.SerialPort({
      path,
      baudRate: options.baudRate,
      parity: options.parity,
      autoOpen: false,
    });
    port.open((error) => (error ? fail(openProblem(path, error.message)) : done(port)));
  });
}

function openProblem(path: string, detail: string) {
  if (/no such file|cannot find|not found/i.test(detail))
    return problem(
      'port-not-found',
      'The port does not exist',
      `${path}: ${detail}`,
      'Check the cable and choose another port.',
    );
  if (/lock|busy|in use/i.test(detail)) {
    const holders = portHolders(path);
    return problem(
      'port-busy',
      'The port is in use',
      holders.length > 0 ? `${path} is held by ${holders.join(', ')}.` : `${path}: ${detail}`,
      /ModemManager/.test(holders.join())
        ? 'ModemManager probes new ports: wait half a minute, or exclude the device with a udev rule (ENV{ID_MM_DEVICE_IGNORE}="1").'
        : 'Close the program that holds it.',
    );
  }
  if (/permission|access denied/i.test(detail))
    return problem(
      'no-permission',
      'No permission for the port',
      `${path}: ${detail}`,
      process.platform === 'linux'
        ? `Add your user to the group dialout and sign in again (sudo usermod -aG dialout $USER), or put into /etc/udev/rules.d/60-slipway.rules: SUBSYSTEM=="tty", KERNEL=="${basename(path)}", TAG+="uaccess"`
        : 'Ask the administrator of this computer for access to its serial ports.',
    );
  return problem(
    'port-failed',
    'The port could not be opened',
    `${path}: ${detail}`,
    'Check the cable and try again.',
  );
}
