import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A virtual board at the speed of a real one, served over a PTY by the command line. */
export async function pacedBoard(
  path: string,
  options: readonly string[] = [],
): Promise<{ path: string; stop: () => Promise<void> }> {
  const args = ['dist/main/cli.js', 'bench', 'virtual', 'stm32', '--link', path, ...options];
  const child = spawn(process.execPath, args);
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return {
    path,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
