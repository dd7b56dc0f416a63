import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { toProblem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { configFileName } from '../core/workspace/config.ts';
import { printFirstLook, printProblem, progressPrinter } from './output.ts';

/** Options every command has. */
export interface GlobalOptions {
  readonly workspace?: string;
  readonly json?: boolean;
}

/** What a command works with. */
export interface Session {
  readonly studio: Studio;
  readonly json: boolean;
  /** Aborted by Ctrl+C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** The folder that --workspace names, or the current one when it holds a workspace; null when there is none. */
export function workspaceFolder(command: Command): string | null {
  const { workspace } = command.optsWithGlobals<GlobalOptions>();
  const folder = resolve(workspace ?? '.');
  return workspace !== undefined || existsSync(join(folder, configFileName)) ? folder : null;
}

/** Opens the studio, runs the command, prints a problem when there is one and sets the exit code. */
export async function withSession(
  command: Command,
  work: (session: Session) => Promise<number | undefined>,
): Promise<void> {
  const json = command.optsWithGlobals<GlobalOptions>().json ?? false;
  const stop = new AbortController();
  let studio: Studio | null = null;
  try {
    // Help and wrong usage come without it.
    const { createStudio } = await import('../core/studio.ts');
    studio = await createStudio({
      workspacePath: workspaceFolder(command),
      version: __SLIPWAY_VERSION__,
      operatorToken: process.env.SLIPWAY_TOKEN || undefined,
    });
    const opened = studio;
    const print = progressPrinter(json);
    opened.subscribe((event) => {
      if (event.type === 'job') print(event.job);
      else if (event.type === 'file-so-far' && !json) printFirstLook(event.file);
    });
    const interrupt = (): void => {
      stop.abort();
      void cancelAll(opened);
    };
    process.once('SIGINT', interrupt);
    process.once('SIGTERM', interrupt);
    process.exitCode = (await work({ studio, json, signal: stop.signal })) ?? 0;
  } catch (error) {
    process.exitCode = printProblem(json, toProblem(error));
  } finally {
    await studio?.close();
  }
}

async function cancelAll(studio: Studio): Promise<void> {
  for (const job of await studio.ask('jobs.list', {})) {
    if (job.state === 'running') await studio.ask('jobs.cancel', { jobId: job.id });
  }
}

/** Resolves when the signal is aborted: for commands that serve until they are stopped. */
export function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
    // A pending promise alone does not keep Node running.
    const keepAlive = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => clearInterval(keepAlive), { once: true });
  });
}
