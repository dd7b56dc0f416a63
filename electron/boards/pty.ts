import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from '../../shared/domain/problem.ts';

/** A board as a byte stream. */
export interface ByteBoard {
  receive(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
}

/** A board that wants to know when its port is opened and closed. */
interface OpenableBoard extends ByteBoard {
  opened(): void;
  disconnect(): void;
}

/** A served port. */
export interface Pty {
  close(): Promise<void>;
}

const startLimitMs = 5000;

/** Serves a board on a pseudo terminal at `linkPath`, through socat. @throws ProblemError `pty-unavailable` */
export async function servePty(board: ByteBoard, linkPath: string): Promise<Pty> {
  const socat = startSocat([`PTY,link=${linkPath},rawer`, 'STDIO']);
  socat.child.stdin?.on('error', () => undefined);
  socat.child.stdout?.on('data', (bytes: Buffer) => board.receive(bytes));
  board.onData((bytes) => void socat.child.stdin?.write(bytes));
  await appearance(linkPath, socat);
  return {
    async close() {
      await pull(socat);
      await rm(linkPath, { force: true });
    },
  };
}

/**
 * Serves a board on a pseudo terminal and tells it when the port is opened, as DTR does on real ones; when the port is
 * closed its link goes away for a moment. @throws ProblemError `pty-unavailable`
 */
export async function serveResettingPty(board: OpenableBoard, linkPath: string): Promise<Pty> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-pty-'));
  const socketPath = join(folder, 'socket');
  const server = createServer((socket) => {
    board.onData((bytes) => void socket.write(bytes));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => board.receive(bytes));
    socket.on('close', () => board.disconnect());
    board.opened();
  });
  await new Promise<void>((done) => server.listen(socketPath, done));
  const spawnSocat = (): Socat =>
    startSocat([`PTY,link=${linkPath},rawer,wait-slave,pty-interval=0.02`, `UNIX:${socketPath}`]);
  let isClosing = false;
  let socat = spawnSocat();
  const serve = async (): Promise<void> => {
    for (;;) {
      await socat.ended;
      if (isClosing) return;
      socat = spawnSocat();
    }
  };
  await appearance(linkPath, socat);
  const serving = serve();
  return {
    async close() {
      isClosing = true;
      await pull(socat);
      await serving;
      server.close();
      await rm(linkPath, { force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Socat {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  failure(): string | null;
}

function startSocat(args: readonly string[]): Socat {
  const child = spawn('socat', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let failure: string | null = null;
  let stderr = '';
  child.once('error', (error) => {
    failure = error.message;
  });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  child.once('exit', (code) => {
    failure ??= stderr || `socat ended with ${code ?? 'a signal'}`;
  });
  return { child, ended, failure: () => failure };
}

/** At once, as a cable is pulled: asked politely, socat removes the link first, which a busy disk can hold up for seconds. */
async function pull({ child, ended }: Socat): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

async function appearance(linkPath: string, { child, failure }: Socat): Promise<void> {
  for (const deadlineMs = Date.now() + startLimitMs; !existsSync(linkPath); await sleep(10)) {
    if (failure() === null && Date.now() <= deadlineMs) continue;
    child.kill();
    throw problem(
      'pty-unavailable',
      'The virtual serial port could not be made',
      failure() ?? `${linkPath} did not appear.`,
      'Install socat (apt-get install socat) and choose a path that does not exist yet.',
    );
  }
}
