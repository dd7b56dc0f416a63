import type { BenchRun, FlashResult } from '../../shared/domain/bench.ts';
import { benchRun, hash } from './records.ts';

/** What a test changes of a result. */
export type BenchResultChange = Partial<FlashResult>;

/** A passed run of the image `aaaa…` on a real board that its chip tells from others. */
export function boardRun(
  boardId: string,
  hardwareRevision: string,
  changes: Partial<BenchRun> = {},
  result: BenchResultChange = {},
): BenchRun {
  const run = benchRun(hash('a'), true, {
    id: `run-${boardId}`,
    port: '/dev/ttyUSB0',
    startedAt: '2026-01-09T00:00:00.000Z',
    board: { id: boardId, source: 'chip' },
    hardwareRevision,
    virtual: false,
    ...changes,
  });
  return { ...run, result: { ...run.result, boardId, ...result } };
}
