import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FlashInput, flashBoard } from '../../electron/core/bench/flash.ts';
import { VirtualBoards } from '../../electron/core/bench/virtual-boards.ts';
import type { FlashResult } from '../../shared/domain/bench.ts';
import type { Progress } from '../../shared/domain/job.ts';
import type { Problem, ProblemError } from '../../shared/domain/problem.ts';

/** Virtual boards and a folder for their ports and recordings. */
export interface Bench {
  readonly boards: VirtualBoards;
  readonly folder: string;
  readonly recordingPath: string;
  /** Flashes with what a test states; progress goes to `onProgress`. */
  flash(order: Order, onProgress?: (progress: Progress) => void): Promise<FlashResult>;
  /** The problem that a flash ends with. */
  failure(order: Order, onProgress?: (progress: Progress) => void): Promise<Problem>;
  close(): Promise<void>;
}

type Order = Pick<FlashInput, 'port' | 'protocol' | 'image'> & Partial<FlashInput>;

/** Sets up a bench in a new folder. */
export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const boards = new VirtualBoards();
  const recordingPath = join(folder, 'recording.jsonl');
  const bench: Bench = {
    boards,
    folder,
    recordingPath,
    flash: (order, onProgress = () => undefined) =>
      flashBoard(
        {
          imageName: 'image.bin',
          recordingPath,
          openLink: boards.opener(),
          listPorts: async () => ({ ports: boards.list(), hint: null }),
          ...order,
        },
        { signal: new AbortController().signal, onProgress },
      ),
    async failure(order, onProgress) {
      const failure = await bench.flash(order, onProgress).then(
        (result) => new Error(`flashed: ${JSON.stringify(result)}`),
        (error: unknown) => error,
      );
      const { problem } = failure as ProblemError;
      if (!problem) throw failure;
      return problem;
    },
    async close() {
      await boards.closeAll();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return bench;
}

/** Bytes as an image whose place the chip decides. */
export const rawImage = (bytes: Uint8Array): FlashInput['image'] => ({
  format: 'raw',
  segments: [{ address: null, bytes }],
});

/** One of the sample project's firmware files. */
export const sampleImage = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(join('resources/sample/firmware', name)));
