import { spawn } from 'node:child_process';
import { entryPath } from '../../electron/worker/run-task.ts';
import type { Problem } from '../../shared/domain/problem.ts';

/** How a `slipway` command ended. */
export interface CommandOutcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the command said went wrong. */
  readonly problem: Problem | null;
}

/** Runs the built command line with `--json`, through `wrapper` when given. */
export function slipway(
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<CommandOutcome> {
  const [command = '', ...rest] = [
    ...wrapper,
    process.execPath,
    entryPath('cli'),
    '--json',
    ...args,
  ];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (exitCode) =>
      done({ exitCode, stdout, stderr, problem: problemOf(stderr) }),
    );
  });
}

function problemOf(stderr: string): Problem | null {
  const line = stderr.split('\n').find((text) => text.startsWith('{"error":'));
  return line === undefined ? null : (JSON.parse(line) as { error: Problem }).error;
}
