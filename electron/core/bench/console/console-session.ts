import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CaptureResult,
  ConsoleReading,
  ConsoleState,
} from '../../../../shared/domain/console.ts';
import type { CaptureForm } from '../../../../shared/domain/console-names.ts';
import { problem, toProblem } from '../../../../shared/domain/problem.ts';
import type { LinkOptions, ModemSignals, OpenLink, SerialLink } from '../serial-link.ts';
import { Capture } from './capture.ts';
import { ConsoleLog } from './console-log.ts';
import { type ConsoleAnswer, ConsoleReader } from './console-reader.ts';
import { HeldBytes } from './held-bytes.ts';

const retryMs = 250;
const presenceMs = 1000;

/** Where a board that went away is now; null while it is nowhere. */
export type FindAgain = (path: string) => Promise<string | null>;

/** What a console is made of. */
export interface SessionParts {
  readonly port: string;
  readonly line: LinkOptions;
  readonly openLink: OpenLink;
  readonly findAgain: FindAgain;
}

/**
 * The console of one port. It keeps what was received when the port goes away and comes back, and while a flasher
 * has the port.
 */
export class ConsoleSession {
  readonly port: string;
  readonly #parts: SessionParts;
  readonly #log = new ConsoleLog();
  readonly #reader = new ConsoleReader(this.#log);
  readonly #end = new AbortController();
  #path: string;
  #line: LinkOptions;
  #state: ConsoleState['state'] = 'lost';
  #link: SerialLink | null = null;
  #signals: ModemSignals = { dtr: true, rts: true };
  #hasModemLines: boolean | null = null;
  #presence: NodeJS.Timeout | undefined;
  /** Counts what takes the port, so that a search for it that is under way ends. */
  #turn = 0;
  readonly #held = new HeldBytes();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.port = parts.port;
    this.#path = parts.port;
    this.#line = parts.line;
  }

  /** @throws ProblemError of opening the port */
  async open(): Promise<void> {
    this.#take(await this.#parts.openLink(this.#path, this.#line));
    this.#log.note(`${this.#path} at ${lineWords(this.#line)}`);
    this.#presence = setInterval(() => void this.#checkPresence(), presenceMs);
  }

  /** Ends the console; a capture that runs is finished. @throws ProblemError of the capture */
  async close(): Promise<void> {
    this.#end.abort();
    clearInterval(this.#presence);
    // A line that is lent belongs to its flasher, which closes it.
    const link = this.#state === 'flashing' ? null : this.#link;
    this.#link = null;
    this.#become('closed');
    this.#log.flush();
    await link?.close();
    if (this.#log.capture) await this.endCapture();
  }

  get path(): string {
    return this.#path;
  }

  get state(): ConsoleState {
    const { receivedBytes, sentBytes, ring, capture } = this.#log;
    return {
      port: this.port,
      path: this.#path,
      state: this.#state,
      ...this.#line,
      ...this.#signals,
      hasModemLines: this.#hasModemLines,
      receivedBytes,
      sentBytes,
      ring: {
        bytes: ring.sizeBytes,
        capacityBytes: ring.capacityBytes,
        lines: ring.lineCount,
        droppedLines: ring.droppedLines,
        droppedBytes: ring.droppedBytes,
      },
      capture: capture && {
        path: capture.path,
        form: capture.form,
        sizeBytes: capture.sizeBytes,
        problem: capture.fault,
      },
    };
  }

  /** The next lines, as the reading asks for; waits for news when it says so. @throws ProblemError `bad-pattern` */
  async read(reading: ConsoleReading): Promise<ConsoleAnswer> {
    return this.#reader.read(reading);
  }

  /** @throws ProblemError `console-lent` | `port-lost` */
  async send(bytes: Uint8Array): Promise<void> {
    await this.#openLink().write(bytes);
    this.#log.sent(bytes);
  }

  /** Sets speed and parity. @throws ProblemError `console-lent` | `port-lost` */
  async setLine(line: LinkOptions): Promise<void> {
    await this.#openLink().setLine(line);
    this.#line = line;
    this.#log.note(`Now at ${lineWords(line)}`);
  }

  /** Sets DTR and RTS; false when the port has none. @throws ProblemError `console-lent` | `port-lost` */
  async setSignals(signals: ModemSignals): Promise<boolean> {
    const hasThem = await this.#openLink().setSignals(signals);
    this.#hasModemLines = hasThem;
    if (hasThem) this.#signals = signals;
    this.#log.note(
      hasThem
        ? `DTR ${Number(signals.dtr)}, RTS ${Number(signals.rts)}`
        : 'This port has no modem lines: DTR and RTS were not set',
    );
    return hasThem;
  }

  /** Forgets the kept lines; returns the number of the last one. */
  clear(): number {
    return this.#log.clear();
  }

  note(text: string): void {
    this.#log.note(text);
  }

  /** Writes everything from now on to a file. @throws ProblemError `capture-running` and those of the file */
  async startCapture(path: string, form: CaptureForm): Promise<void> {
    if (this.#log.capture)
      throw problem(
        'capture-running',
        'A capture runs already',
        `${this.port} is captured to ${this.#log.capture.path}.`,
        'Stop it first.',
        'usage',
      );
    this.#log.capture = await Capture.start(path, form, (fault) =>
      this.#log.note(`The capture ended: ${fault.title}, ${fault.detail}`),
    );
    this.#log.note(`Capturing to ${this.#log.capture.path}`);
  }

  /** Ends the capture; its file is whole then. @throws ProblemError `no-capture` and what ended it before */
  async endCapture(): Promise<CaptureResult> {
    const { capture } = this.#log;
    if (!capture)
      throw problem(
        'no-capture',
        'No capture runs',
        `${this.port} is not captured.`,
        'Start a capture first.',
        'usage',
      );
    this.#log.capture = null;
    const result = await capture.stop();
    this.#log.note(`Captured ${result.sizeBytes} bytes to ${result.path}`);
    return result;
  }

  /**
   * Gives the port to a flasher, opened anew as the flasher wants it; when the flasher closes it, the console has it
   * back on the same open line, so that nothing in between is lost. @throws ProblemError of opening the port
   */
  async lend(options: LinkOptions, path = this.#path): Promise<SerialLink> {
    const own = this.#link;
    this.#link = null;
    this.#turn++;
    this.#log.flush();
    this.#become('flashing');
    this.#log.note('Handed over to the flasher');
    await own?.close();
    let link: SerialLink;
    try {
      link = await this.#parts.openLink(path, options);
    } catch (error) {
      this.#log.note(`The flasher could not open the port: ${toProblem(error).detail}`);
      void this.#comeBack('Taken back from the flasher');
      throw error;
    }
    this.#path = path;
    this.#held.hold();
    let isLost = false;
    link.onData((bytes) => this.#receive(link, bytes));
    link.onLost(() => {
      isLost = true;
      if (this.#link === link) this.#lose();
    });
    this.#link = link;
    return {
      ...link,
      write: (bytes) => {
        this.#held.forget();
        return link.write(bytes);
      },
      close: () => this.#takeBack(link, isLost),
    };
  }

  /** Tells how far the flash is; with the wait for the boot log everything is shown again. */
  flashStep(step: string): void {
    if (this.#state !== 'flashing') return;
    this.#log.note(`Flashing: ${step}`);
    if (step.startsWith('Waiting'))
      for (const bytes of this.#held.release()) this.#log.received(bytes);
  }

  async #takeBack(link: SerialLink, isLost: boolean): Promise<void> {
    this.#held.release();
    if (this.#end.signal.aborted) return link.close();
    try {
      if (isLost || !(await link.isPresent())) throw new Error('lost');
      await link.setLine(this.#line);
      this.#log.note('Taken back from the flasher');
      this.#become('open');
    } catch {
      // Whatever is wrong with the flasher's line: the console opens one of its own.
      this.#link = null;
      await link.close();
      void this.#comeBack('Taken back from the flasher');
    }
  }

  #take(link: SerialLink): void {
    this.#link = link;
    link.onData((bytes) => this.#receive(link, bytes));
    link.onLost(() => {
      if (this.#link === link) this.#lose();
    });
    this.#become('open');
  }

  #receive(link: SerialLink, bytes: Uint8Array): void {
    if (this.#link === link && !this.#held.take(bytes)) this.#log.received(bytes);
  }

  #lose(): void {
    if (this.#state !== 'open') return;
    const link = this.#link;
    this.#link = null;
    void link?.close();
    this.#log.flush();
    this.#log.note('The port was lost; waiting for it to come back');
    void this.#comeBack('The port is back');
  }

  /** Opens the port again as soon as it is there, under whatever path. */
  async #comeBack(words: string): Promise<void> {
    const startedMs = performance.now();
    const turn = ++this.#turn;
    const isOver = (): boolean => this.#end.signal.aborted || turn !== this.#turn;
    this.#become('lost');
    let lastTrouble = '';
    while (!isOver()) {
      try {
        const path = (await this.#parts.findAgain(this.#path)) ?? this.#path;
        const link = await this.#parts.openLink(path, this.#line);
        if (isOver()) return await link.close();
        const where = path === this.#path ? '' : ` as ${path}`;
        this.#path = path;
        this.#take(link);
        const awayS = (performance.now() - startedMs) / 1000;
        this.#log.note(`${words}${where} after ${awayS.toFixed(1)} s`);
        return;
      } catch (error) {
        const { code, title, detail } = toProblem(error);
        if (code !== 'port-not-found' && code !== 'port-lost' && code !== lastTrouble)
          this.#log.note(`${title}: ${detail}`);
        lastTrouble = code;
      }
      await sleep(retryMs);
    }
  }

  async #checkPresence(): Promise<void> {
    const link = this.#link;
    if (this.#state !== 'open' || !link) return;
    if (!(await link.isPresent()) && this.#link === link) this.#lose();
  }

  #become(state: ConsoleState['state']): void {
    this.#state = state;
    this.#log.changed();
  }

  #openLink(): SerialLink {
    if (this.#state === 'open' && this.#link) return this.#link;
    if (this.#state === 'flashing')
      throw problem(
        'console-lent',
        'The board is being flashed',
        `${this.port} belongs to the flasher until it is done.`,
        'Wait for the end of the flash; the console takes the port back by itself.',
        'usage',
      );
    throw problem(
      'port-lost',
      'The port is away',
      `${this.port} is not open.`,
      'Plug the board in again; the console goes on by itself.',
    );
  }
}

const lineWords = ({ baudRate, parity }: LinkOptions): string =>
  `${baudRate} baud 8${{ none: 'N', even: 'E', odd: 'O' }[parity]}1`;
