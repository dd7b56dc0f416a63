import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { entryPath } from '../../electron/worker/run-task.ts';

/** A virtual board in a process of its own, as a user serves it. */
export class ServedBoard {
  readonly port: string;
  readonly #child: ChildProcess;

  private constructor(port: string, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** Resolves once the board is ready at `link`. */
  static async start(
    kind: VirtualBoardKind,
    link: string,
    more: readonly string[] = [],
  ): Promise<ServedBoard> {
    const args = [entryPath('cli'), 'bench', 'virtual', kind, '--link', link, ...more];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const { ready, port } = JSON.parse(line.toString()) as { ready: boolean; port: string };
    if (!ready || port !== link) throw new Error(line.toString());
    return new ServedBoard(link, child);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
