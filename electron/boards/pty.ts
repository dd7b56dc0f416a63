import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from '../../shared/domain/problem.ts';

/** A board as a byte stream. */
export interface ByteBoard {
  receive(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
}

const startLimitMs = 5000;

/** Serves a board on a pseudo terminal at `linkPath`, through socat. @throws ProblemError `pty-unavailable` */
export async function servePty(
  board: ByteBoard,
  linkPath: string,
): Promise<{ close(): Promise<void> }> {
  const socat = spawn('socat', [`PTY,link=${linkPath},rawer`, 'STDIO'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let failure: string | null = null;
  let stderr = '';
  socat.once('error', (error) => {
    failure = error.message;
  });
  const ended = new Promise<void>((done) => socat.once('close', () => done()));
  socat.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  socat.once('exit', (code) => {
    failure ??= stderr || `socat ended with ${code ?? 'a signal'}`;
  });
  socat.stdin.on('error', () => undefined);
  socat.stdout.on('data', (bytes: Buffer) => board.receive(bytes));
  board.onData((bytes) => void socat.stdin.write(bytes));
  for (const deadlineMs = Date.now() + startLimitMs; !existsSync(linkPath); await sleep(10)) {
    if (failure !== null || Date.now() > deadlineMs) {
      socat.kill();
      throw problem(
        'pty-unavailable',
        'The virtual serial port could not be made',
        failure ?? `${linkPath} did not appear.`,
        'Install socat (apt-get install socat) and choose a path that does not exist yet.',
      );
    }
  }
  return {
    async close() {
      // At once, as a cable is pulled: asked politely, socat removes the link first, which a busy disk can hold up for seconds.
      socat.kill('SIGKILL');
      await ended;
      await rm(linkPath, { force: true });
    },
  };
}
