import { readFile, rm, stat } from 'node:fs/promises';
import type { BenchRun } from '../../../shared/domain/bench.ts';
import type { Problem } from '../../../shared/domain/problem.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { sha256 } from '../../files/sha256.ts';
import { isProcessAlive } from '../process-alive.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { BenchOrder } from './bench-order.ts';
import { keepEveryMs, unfinishedPath } from './recorder.ts';

/** Runs of this process that have not ended. */
const running = new Set<string>();
/** A process that has not written for so long is another one under an old number, or hangs. */
const silentMs = 20 * keepEveryMs;

/** Carries out a run that is known to be alive meanwhile. */
export async function whileRunning<T>(id: string, work: () => Promise<T>): Promise<T> {
  running.add(id);
  try {
    return await work();
  } finally {
    running.delete(id);
  }
}

/** Records the runs whose process ended in the middle as interrupted, with what their recording holds. */
export async function recordInterrupted(workspace: Workspace): Promise<void> {
  for (const order of workspace.list('benchOrder')) {
    if (workspace.has('benchRun', order.id) || (await isAlive(order))) continue;
    const text = await endedRecording(order);
    await writeFileAtomic(order.recording, text);
    workspace.put('benchRun', order.releaseId, interruptedRun(order, text));
    await rm(unfinishedPath(order.recording), { force: true });
  }
}

async function isAlive({ id, processId, recording }: BenchOrder): Promise<boolean> {
  if (running.has(id)) return true;
  if (processId === process.pid || !isProcessAlive(processId)) return false;
  const kept = await stat(unfinishedPath(recording)).catch(() => null);
  return kept !== null && Date.now() - kept.mtimeMs < silentMs;
}

/** What was recorded until the process ended; its last line may be torn. */
async function endedRecording({ recording, step }: BenchOrder): Promise<string> {
  const kept = await readFile(unfinishedPath(recording), 'utf8').catch(() => '');
  const whole = kept.slice(0, kept.lastIndexOf('\n') + 1);
  const last = /"t":([\d.]+)[^\n]*\n$/.exec(whole)?.[1] ?? '0';
  const note = { t: Number(last), dir: 'note', text: `interrupted at the step ${step}` };
  return `${whole}${JSON.stringify(note)}\n`;
}

function interruptedRun(order: BenchOrder, recordingText: string): BenchRun {
  const { id, releaseId, imageSha256, imageName, port, protocol, chip, recording } = order;
  const { startedAt, board, hardwareRevision, virtual, resumes } = order;
  return {
    id,
    releaseId,
    imageSha256,
    imageName,
    port,
    result: {
      protocol,
      chip,
      boardId: board?.source === 'chip' ? board.id : null,
      bytesWritten: 0,
      skippedBytes: 0,
      verified: false,
      booted: null,
      elapsedMs: 0,
      bytesPerSec: 0,
      recording,
    },
    recordingSha256: sha256(recordingText),
    startedAt,
    passed: false,
    failure: interrupted(order),
    virtual,
    ...(board ? { board } : {}),
    ...(hardwareRevision === undefined ? {} : { hardwareRevision }),
    ...(resumes === undefined ? {} : { resumes }),
  };
}

const interrupted = ({ port, step }: BenchOrder): Problem => ({
  code: 'interrupted',
  title: 'Flashing was interrupted',
  detail: `Slipway ended while ${port} was at the step ${step}; the board may hold only a part of the image.`,
  hint: 'Go on with the run, which ends with a verified board, or flash it again.',
  kind: 'io',
});
