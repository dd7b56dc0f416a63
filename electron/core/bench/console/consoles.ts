import { realpath } from 'node:fs/promises';
import type { WorkContext } from '../../../../shared/domain/job.ts';
import { problem, toProblem } from '../../../../shared/domain/problem.ts';
import type { LinkOptions, OpenLink } from '../serial-link.ts';
import type { ConsoleSession, FindAgain } from './console-session.ts';

/** Remembers what is at a path, so that it is found again under another one. */
export type RememberPort = (path: string) => Promise<FindAgain>;

/** Every open console of this process, one for each port. */
export class Consoles {
  readonly #openLink: OpenLink;
  readonly #remember: RememberPort;
  readonly #sessions = new Map<string, ConsoleSession>();

  constructor(openLink: OpenLink, remember: RememberPort) {
    this.#openLink = openLink;
    this.#remember = remember;
  }

  /** Opens the console of a port; one that is open already stays, at the new speed. @throws ProblemError of the port */
  async open(port: string, line: LinkOptions): Promise<ConsoleSession> {
    const open = await this.find(port);
    if (open) {
      const { baudRate, parity } = open.state;
      if (baudRate !== line.baudRate || parity !== line.parity) await open.setLine(line);
      return open;
    }
    const findAgain = await this.#remember(port);
    // With its regular expressions, which nothing else of the program needs at its start.
    const { ConsoleSession } = await import('./console-session.ts');
    const session = new ConsoleSession({ port, line, openLink: this.#openLink, findAgain });
    await session.open();
    this.#sessions.set(port, session);
    return session;
  }

  /** @throws ProblemError `console-not-open`, and of the capture that it ends */
  async close(port: string): Promise<void> {
    const session = this.get(port);
    this.#sessions.delete(port);
    await session.close();
  }

  /** @throws ProblemError `console-not-open` */
  get(port: string): ConsoleSession {
    const session = this.#sessions.get(port);
    if (session) return session;
    throw problem(
      'console-not-open',
      'This console is not open',
      `${port} has no open console.`,
      'Open it first.',
      'usage',
    );
  }

  list(): readonly ConsoleSession[] {
    return [...this.#sessions.values()];
  }

  /** The console of a port, also when the port is named by a link to it. */
  async find(path: string): Promise<ConsoleSession | undefined> {
    const named = this.#sessions.get(path);
    if (named) return named;
    const target = await targetOf(path);
    for (const session of this.#sessions.values())
      if (session.path === path || (await targetOf(session.path)) === target) return session;
    return undefined;
  }

  /**
   * Opens ports for one flasher: one whose console is open is handed over by it, also when the board comes back under
   * another path before the console has found it.
   */
  opener(): OpenLink {
    let lender: ConsoleSession | undefined;
    return async (path, options) => {
      const found = await this.find(path);
      lender = found ?? lender;
      const isFree = lender && !['flashing', 'closed'].includes(lender.state.state);
      if (!lender || !isFree) return this.#openLink(path, options);
      return lender.lend(options, found ? lender.path : path);
    };
  }

  /** Lets the console of a port tell how a flash goes. @throws what the work throws */
  async during<T>(
    port: string,
    context: WorkContext,
    work: (context: WorkContext) => Promise<T>,
    outcome: (result: T) => string,
  ): Promise<T> {
    const session = await this.find(port);
    if (!session) return work(context);
    let lastStep = '';
    const onProgress: WorkContext['onProgress'] = (progress) => {
      if (progress.step !== lastStep) session.flashStep(progress.step);
      lastStep = progress.step;
      context.onProgress(progress);
    };
    try {
      const result = await work({ ...context, onProgress });
      session.note(outcome(result));
      return result;
    } catch (error) {
      const { title, detail } = toProblem(error);
      session.note(`The flash failed: ${title}: ${detail}`);
      throw error;
    }
  }

  async closeAll(): Promise<void> {
    const sessions = this.list();
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.close()));
  }
}

const targetOf = (path: string): Promise<string> => realpath(path).catch(() => path);
