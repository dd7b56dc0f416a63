import type { BaudFallback } from '../../../../shared/domain/connection.ts';
import { toProblem } from '../../../../shared/domain/problem.ts';
import { type ResetStep, resetSequenceText } from '../../../../shared/domain/reset-sequence.ts';
import type { BoardIdentity } from '../flasher.ts';
import type { LinkOptions, SerialLink } from '../serial-link.ts';
import { ResetLines } from './reset-lines.ts';
import { RoundTrips } from './round-trips.ts';

const lowerRates = [460_800, 230_400, 115_200, 57_600, 19_200, 9600] as const;
const mostFallbacks = 3;
/** How a bootloader looks that listens at another speed. */
const speedSymptoms = ['no-bootloader', 'bootloader-silent', 'bootloader-confused'];

/** What is known about the way to a board before it is flashed. */
interface FlashConnectionParts {
  /** Instead of the protocol's own reset; none: that one. */
  readonly resetSteps?: readonly ResetStep[];
  /** What the board did the last time. */
  readonly remembered?: BaudFallback | undefined;
}

/** The way to a board during one flash: its reset, its speed, how fast it answers; and what was learned of them. */
export class FlashConnection {
  readonly #parts: FlashConnectionParts;
  readonly #trips = new RoundTrips();
  #reset: ResetLines | null = null;
  #line: LinkOptions = { baudRate: 0, parity: 'none' };
  #wished = 0;
  #note: (text: string) => void = () => undefined;
  #isConnected = false;

  constructor(parts: FlashConnectionParts = {}) {
    this.#parts = parts;
  }

  /** The speed to begin with: one that is known to work in the place of one that is known not to. */
  begin(wished: LinkOptions): LinkOptions {
    const { remembered } = this.#parts;
    this.#wished = wished.baudRate;
    const baudRate = remembered?.wished === wished.baudRate ? remembered.worked : wished.baudRate;
    this.#line = { ...wished, baudRate };
    return this.#line;
  }

  /** The link as the protocol gets it. */
  wrap(link: SerialLink, note: (text: string) => void): SerialLink {
    this.#note = note;
    const { resetSteps } = this.#parts;
    const watched = this.#trips.watch(link, this.#line);
    if (!resetSteps) return watched;
    this.#reset = new ResetLines(watched, resetSteps);
    return this.#reset.link;
  }

  /**
   * Connects; a board that does not understand is tried at lower speeds when `mayFallBack`.
   * @throws ProblemError of the first attempt when none works, and any problem that is not one of speed
   */
  async connect(
    connect: () => Promise<BoardIdentity>,
    { link, mayFallBack }: { readonly link: SerialLink; readonly mayFallBack: boolean },
  ): Promise<BoardIdentity> {
    const lower = lowerRates.filter((rate) => rate < this.#line.baudRate).slice(0, mostFallbacks);
    let first: unknown = null;
    for (const baudRate of [this.#line.baudRate, ...(mayFallBack ? lower : [])]) {
      if (first !== null) {
        this.#note(`no answer at ${this.#line.baudRate} baud; trying ${baudRate}`);
        this.#line = { ...this.#line, baudRate };
        await link.setLine(this.#line);
      }
      await this.#playReset();
      try {
        const board = await connect();
        this.#reset?.connected();
        this.#isConnected = true;
        return board;
      } catch (error) {
        first ??= error;
        if (!speedSymptoms.includes(toProblem(error).code)) throw error;
      }
    }
    throw first;
  }

  /** The speed that worked in the place of the wished one; null when that one did, or none. */
  get fallback(): BaudFallback | null {
    const { baudRate } = this.#line;
    return this.#isConnected && baudRate !== this.#wished
      ? { wished: this.#wished, worked: baudRate }
      : null;
  }

  /** The usual time of an answer beside the wire, milliseconds; null when there were too few. */
  get roundTripMs(): number | null {
    return this.#trips.usualMs;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  async #playReset(): Promise<void> {
    const { resetSteps } = this.#parts;
    if (!this.#reset || !resetSteps) return;
    const hasLines = await this.#reset.play();
    this.#note(
      hasLines
        ? `reset by ${resetSequenceText(resetSteps)}`
        : 'this port has no modem lines: the reset sequence was not played',
    );
  }
}
