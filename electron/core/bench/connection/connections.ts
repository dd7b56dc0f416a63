import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchRun } from '../../../../shared/domain/bench.ts';
import type { BoardMemory, Connection, ResetTrial } from '../../../../shared/domain/connection.ts';
import type { WorkContext } from '../../../../shared/domain/job.ts';
import { problem } from '../../../../shared/domain/problem.ts';
import { parseResetSequence, type ResetStep } from '../../../../shared/domain/reset-sequence.ts';
import { faultText, isFault } from '../../../../shared/domain/text-fault.ts';
import { writeFileAtomic } from '../../../files/atomic-file.ts';
import { flashWords } from '../console/console-handlers.ts';
import type { Consoles } from '../console/consoles.ts';
import { isPseudoTerminal, type ListPorts, portAt } from '../ports.ts';
import type { OpenLink, SerialLink } from '../serial-link.ts';
import { adviceFor } from './advice.ts';
import type { BoardMemories } from './board-memories.ts';
import { FlashConnection } from './flash-connection.ts';
import { type SystemRoots, systemRoots } from './port-facts.ts';
import { playReset } from './reset-lines.ts';

const listenMs = 1000;
const mostShownBytes = 2000;
const trialLine = { baudRate: 115_200, parity: 'none' } as const;

/** What the help for connections works with. */
interface ConnectionParts {
  readonly consoles: Consoles;
  readonly memories: BoardMemories;
  readonly listPorts: ListPorts;
  readonly openLink: OpenLink;
  readonly roots?: SystemRoots;
}

/** Help for boards that do not answer: advice, reset sequences, speeds that work; remembered for each board. */
export class Connections {
  readonly #parts: ConnectionParts;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** How a port stands, without opening it. */
  async report(port: string): Promise<Connection> {
    const { memories, roots = systemRoots } = this.#parts;
    const board = await this.#boardAt(port);
    const memory = memories.of(board);
    const roundTripMs = memory.roundTripMs ?? null;
    const advice = await adviceFor({ path: port, roots, roundTripMs });
    return { port, board, advice: [...advice], memory };
  }

  /** @throws ProblemError `bad-reset-sequence` */
  async save(
    port: string,
    changes: { readonly resetSequence?: string | undefined; readonly forgetBaud: boolean },
  ): Promise<Connection> {
    const { resetSequence, forgetBaud } = changes;
    const board = await this.#boardAt(port);
    const { baud, resetSequence: saved, ...rest } = this.#parts.memories.of(board);
    const sequence = (resetSequence ?? saved ?? '').trim();
    stepsOf(sequence);
    this.#parts.memories.set(board, {
      ...rest,
      ...(sequence === '' ? {} : { resetSequence: sequence }),
      ...(baud && !forgetBaud ? { baud } : {}),
    });
    return this.report(port);
  }

  /**
   * Plays a reset sequence and listens for a second; on a port with an open console the console shows what comes.
   * @throws ProblemError `bad-reset-sequence` and problems of opening the port
   */
  async try(port: string, text: string): Promise<ResetTrial> {
    const steps = stepsOf(text);
    if (!steps) throw badSequence('It is empty.');
    const session = await this.#parts.consoles.find(port);
    if (session) return { hasModemLines: await playReset(session, steps), received: null };
    const link = await this.#parts.openLink(port, trialLine);
    try {
      let received = Buffer.alloc(0);
      link.onData((bytes) => {
        received = Buffer.concat([received, bytes]).subarray(0, mostShownBytes);
      });
      const setSignals: SerialLink['setSignals'] = (signals) => {
        // What came before the last change of the lines was not caused by it.
        received = Buffer.alloc(0);
        return link.setSignals(signals);
      };
      const hasModemLines = await playReset({ setSignals }, steps);
      if (hasModemLines) await sleep(listenMs);
      const { lineText } = await import('../console/console-text.ts');
      const lines = received.toString('latin1').split('\n');
      return {
        hasModemLines,
        received: lines.map((line) => lineText(Buffer.from(line, 'latin1'))).join('\n'),
      };
    } finally {
      await link.close();
    }
  }

  /** Writes the udev rule of an advice. @throws ProblemError `no-rule` when there is none now */
  async saveRule(port: string, id: string, out: string): Promise<{ path: string }> {
    const { advice } = await this.report(port);
    const rule = advice.find((entry) => entry.id === id)?.rule;
    if (!rule)
      throw problem(
        'no-rule',
        'There is no rule to save',
        `${port} needs no rule for ${id} any more.`,
        'Look at the advice again.',
        'usage',
      );
    await writeFileAtomic(out, rule.text);
    return { path: out };
  }

  /** Carries out a flash with what is known of its board, and remembers what it taught. @throws what the work throws */
  async during(
    order: { readonly port: string; readonly resetSequence?: string | undefined },
    context: WorkContext,
    work: (connection: FlashConnection, context: WorkContext) => Promise<BenchRun>,
  ): Promise<BenchRun> {
    const { consoles, memories } = this.#parts;
    const board = await this.#boardAt(order.port);
    const memory = memories.of(board);
    const resetSteps = stepsOf(order.resetSequence ?? memory.resetSequence ?? '');
    const connection = new FlashConnection({
      remembered: memory.baud,
      ...(resetSteps ? { resetSteps } : {}),
    });
    try {
      return await consoles.during(
        order.port,
        context,
        (told) => work(connection, told),
        flashWords,
      );
    } finally {
      this.#learn(board, connection);
    }
  }

  #learn(board: string, connection: FlashConnection): void {
    if (!connection.isConnected) return;
    const { fallback, roundTripMs } = connection;
    const before = this.#parts.memories.of(board);
    const learned: BoardMemory = {
      ...before,
      ...(fallback ? { baud: fallback } : {}),
      ...(roundTripMs === null ? {} : { roundTripMs: Math.round(roundTripMs * 10) / 10 }),
    };
    if (JSON.stringify(learned) !== JSON.stringify(before))
      this.#parts.memories.set(board, learned);
  }

  /** The serial number of the board's adapter, or its path when several have the same or none. */
  async #boardAt(port: string): Promise<string> {
    if (port.startsWith('virtual:')) return port;
    if (await isPseudoTerminal(port)) return port;
    const info = await portAt(this.#parts.listPorts, port);
    return info?.usbId != null && info.serialNumber ? `serial number ${info.serialNumber}` : port;
  }
}

/** The steps of a sequence; null for an empty one. @throws ProblemError `bad-reset-sequence` */
function stepsOf(text: string): readonly ResetStep[] | null {
  if (text.trim() === '') return null;
  const steps = parseResetSequence(text);
  if (isFault(steps)) throw badSequence(faultText(steps));
  return steps;
}

const badSequence = (detail: string) =>
  problem(
    'bad-reset-sequence',
    'The reset sequence cannot be used',
    detail,
    'Write steps such as: dtr=1 rts=0; wait 100ms; dtr=0',
    'usage',
  );
