import { setTimeout as sleep } from 'node:timers/promises';
import type { ResetStep } from '../../../../shared/domain/reset-sequence.ts';
import type { SerialLink } from '../serial-link.ts';

/** Plays a reset sequence; false, and nothing done, when the port has no modem lines. */
export async function playReset(
  link: Pick<SerialLink, 'setSignals'>,
  steps: readonly ResetStep[],
): Promise<boolean> {
  for (const step of steps) {
    if ('waitMs' in step) await sleep(step.waitMs);
    else if (!(await link.setSignals(step))) return false;
  }
  return true;
}

/**
 * Puts a reset sequence in the place of a protocol's own resets while it connects: it is played at the beginning, and
 * again when the protocol resets the board after it has spoken to it in vain.
 */
export class ResetLines {
  readonly link: SerialLink;
  readonly #inner: SerialLink;
  readonly #steps: readonly ResetStep[];
  #isConnecting = true;
  #hasSpoken = false;

  constructor(inner: SerialLink, steps: readonly ResetStep[]) {
    this.#inner = inner;
    this.#steps = steps;
    this.link = {
      ...inner,
      write: (bytes) => {
        this.#hasSpoken = true;
        return inner.write(bytes);
      },
      setSignals: (signals) => (this.#isConnecting ? this.#playAgain() : inner.setSignals(signals)),
    };
  }

  /** Whether the port has modem lines to play on. */
  play(): Promise<boolean> {
    this.#hasSpoken = false;
    return playReset(this.#inner, this.#steps);
  }

  /** From here on the protocol sets the lines itself, to start what it flashed. */
  connected(): void {
    this.#isConnecting = false;
  }

  async #playAgain(): Promise<boolean> {
    return this.#hasSpoken ? this.play() : true;
  }
}
