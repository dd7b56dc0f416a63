import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { entryPath } from '../../electron/worker/run-task.ts';
import type { Pair } from './corpus.ts';
import { detools, detoolsMostBytes } from './delta-formats.ts';
import { type Cost, runMeasured } from './measure.ts';

const python = resolve('.peers/python/bin/python');
const mostBytes = 30_000_000;
/** Makes a patch, tells the CPU time of that alone, and applies it again. */
const hdiffpatchScript = `
import sys, time, hdiffpatch
old, new = (open(path, 'rb').read() for path in sys.argv[1:3])
started = time.process_time()
patch = hdiffpatch.diff(old, new, hdiffpatch.LzmaConfig(level=9, window=24), validate=False)
print(round((time.process_time() - started) * 1000))
assert hdiffpatch.apply(old, patch) == new
open(sys.argv[3], 'wb').write(patch)
`;

/** Sizes of the patches of one pair in bytes; null when a tool would take minutes. */
export interface AcrossRow {
  readonly pair: string;
  readonly bsdiff: number;
  readonly xdelta3: number;
  readonly detools: number | null;
  readonly hdiffpatch: number;
  readonly ourBsdiff: number;
  readonly ourDetools: number;
  readonly ourHdiffpatch: number;
  readonly ourBytes: number;
  readonly hdiffpatchCpuMs: number;
  readonly ourCpuMs: number;
}

/** The smallest patch of the other tools. */
export const bestOf = (row: AcrossRow): number =>
  Math.min(row.bsdiff, row.xdelta3, row.detools ?? row.hdiffpatch, row.hdiffpatch);

/** Makes the patches of one pair; none of a large one. */
export function measureAcross({ name, sourcePath, targetPath }: Pair, folder: string): AcrossRow[] {
  const targetBytes = statSync(targetPath).size;
  if (targetBytes > mostBytes) return [];
  const patch = join(folder, 'patch');
  const make = (command: string, args: readonly string[]): { sizeBytes: number; cost: Cost } => {
    const cost = runMeasured(command, args);
    return { sizeBytes: statSync(patch).size, cost };
  };
  const images = [sourcePath, targetPath];
  const ours = (...format: string[]) =>
    make(process.execPath, [entryPath('cli'), 'delta', 'make', ...images, '-o', patch, ...format]);
  const hdiffpatch = make(python, ['-c', hdiffpatchScript, ...images, patch]);
  const ourBsdiff = ours('--format', 'bsdiff').sizeBytes;
  const ourDetools = ours('--format', 'detools', '--compression', 'lzma').sizeBytes;
  const ourHdiffpatch = ours('--format', 'hdiffpatch', '--compression', 'lzma');
  return [
    {
      pair: name,
      bsdiff: make('bsdiff', [...images, patch]).sizeBytes,
      xdelta3: make('xdelta3', ['-9', '-S', 'lzma', '-f', '-s', ...images, patch]).sizeBytes,
      detools:
        targetBytes > detoolsMostBytes
          ? null
          : make(detools, ['create_patch', '-c', 'lzma', ...images, patch]).sizeBytes,
      hdiffpatch: hdiffpatch.sizeBytes,
      ourBsdiff,
      ourDetools,
      ourHdiffpatch: ourHdiffpatch.sizeBytes,
      ourBytes: Math.min(ourBsdiff, ourDetools, ourHdiffpatch.sizeBytes),
      hdiffpatchCpuMs: Number(hdiffpatch.cost.stdout),
      ourCpuMs: ourHdiffpatch.cost.cpuMs,
    },
  ];
}
