import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createStudio } from '../../electron/core/studio.ts';
import type { CaptureResult, ConsoleState } from '../../shared/domain/console.ts';
import { ConsoleFollower } from './console.ts';

/** How much is sent, and how fast. */
export interface FloodOrder {
  readonly bytes: number;
  /** Bytes per second. */
  readonly rate: number;
}

/** What was sent in the end. */
interface Sent {
  readonly sha256: string;
  readonly sent: number;
  readonly lines: number;
  readonly elapsedMs: number;
}

/** Two pseudo terminals, each the other's far end. */
export async function openPtyPair(
  folder: string,
): Promise<{ port: string; other: string; close: () => Promise<void> }> {
  const [port, other] = [join(folder, 'flood-a'), join(folder, 'flood-b')];
  const pair = spawn('socat', [`pty,rawer,link=${port}`, `pty,rawer,link=${other}`]);
  const ended = once(pair, 'exit');
  while (!existsSync(port) || !existsSync(other)) await sleep(10);
  return {
    port,
    other,
    close: async () => {
      pair.kill();
      await ended;
    },
  };
}

/** Sends numbered lines with their times into a port, from a process of its own. */
export function startSender(
  port: string,
  { bytes, rate }: FloodOrder,
): { readonly sent: Promise<Sent>; readonly release: () => void } {
  const args = ['test/support/console-sender.mjs', port, `${bytes}`, `${rate}`];
  const sender = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const sent = once(sender.stdout, 'data').then(([text]) => JSON.parse(String(text)) as Sent);
  return { sent, release: () => sender.stdin.end() };
}

/** What a flood of numbered lines through a PTY pair came to. */
interface Flood {
  readonly sent: Sent;
  readonly captured: CaptureResult;
  readonly bytesPerSec: number;
  readonly state: ConsoleState;
  /** Numbers of the lines that a reader got, in the order it got them. */
  readonly readNumbers: readonly number[];
  readonly missedLines: number;
  /** From sending a line to reading it, one for each batch, in milliseconds, in ascending order. */
  readonly lagsMs: readonly number[];
}

/** Sends lines through a pair of pseudo terminals into a console that is captured and read every `readEveryMs`. */
export async function floodConsole(
  folder: string,
  order: FloodOrder & { readonly readEveryMs: number },
): Promise<Flood> {
  const { port, other, close } = await openPtyPair(folder);
  const studio = await createStudio({ workspacePath: null });
  try {
    await studio.ask('bench.console.open', { port });
    const out = join(folder, 'flood.raw');
    await studio.ask('bench.console.capture', { port, out, form: 'raw' });
    const startedMs = performance.now();
    const sender = startSender(other, order);
    let whole: Sent | null = null;
    void sender.sent.then((value) => (whole = value));
    const reader = new ConsoleFollower(studio, { port });
    const lagsMs: number[] = [];
    let bytesPerSec = 0;
    for (;;) {
      const batch = await reader.read(order.readEveryMs);
      const last = batch.lines.findLast(({ kind }) => kind === 'rx');
      if (last) lagsMs.push(Date.now() - Number(last.text.split(' ')[0]));
      const sent = whole as Sent | null;
      const isWhole = sent !== null && batch.state.receivedBytes >= sent.sent;
      if (isWhole && bytesPerSec === 0)
        bytesPerSec = (sent.sent / (performance.now() - startedMs)) * 1000;
      if (isWhole && !batch.hasMore) break;
      if (!batch.hasMore) await sleep(order.readEveryMs);
    }
    const captured = await studio.ask('bench.console.endCapture', { port });
    sender.release();
    const received = reader.lines.filter(({ kind }) => kind === 'rx');
    return {
      sent: await sender.sent,
      captured,
      bytesPerSec,
      state: reader.last.state,
      readNumbers: received.map(({ text }) => Number(text.split(' ')[1])),
      missedLines: reader.batches.reduce((sum, { missedLines }) => sum + missedLines, 0),
      lagsMs: lagsMs.toSorted((one, another) => one - another),
    };
  } finally {
    await studio.close();
    await close();
  }
}
