import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { entryPath, runTask } from '../../electron/worker/run-task.ts';
import type { DeltaProof } from '../../shared/domain/product.ts';
import { type Pair, realPairs, syntheticPair } from './corpus.ts';
import { type Cost, debianVersion, median, megabytes, quickest, runMeasured } from './measure.ts';
import { measureFormats, sizeMeans } from './delta-formats.ts';
import { writeSection } from './report.ts';

/** From this target size on the work outweighs the start of two programs, and the goal is held. */
const comparedFromBytes = 1_000_000;
const context = { signal: new AbortController().signal, onProgress: () => undefined };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-delta-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Row {
  readonly pair: Pair;
  readonly targetBytes: number;
  readonly theirs: Cost;
  readonly theirBytes: number;
  readonly ours: Cost;
  readonly ourBytes: number;
  readonly coldJobMs: number;
  readonly warmJobMs: number;
}

/** Both programs in turns, as whole processes, and our job alone in a worker that has run it before. */
async function measure(pair: Pair): Promise<Row> {
  const { sourcePath, targetPath } = pair;
  const [theirPatch, ourPatch] = [join(folder, 'theirs'), join(folder, 'ours')];
  const targetBytes = statSync(targetPath).size;
  const runs = targetBytes >= comparedFromBytes ? 3 : 7;
  const [theirs, ours]: [Cost[], Cost[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    theirs.push(runMeasured('bsdiff', [sourcePath, targetPath, theirPatch]));
    const args = ['delta', 'make', sourcePath, targetPath, '-o', ourPatch];
    const options = ['--format', 'bsdiff', '--json'];
    ours.push(runMeasured(process.execPath, [entryPath('cli'), ...args, ...options]));
  }
  const proofs = ours.map((cost) => JSON.parse(cost.stdout) as DeltaProof);
  const input = {
    sourcePath,
    targetPath,
    outPath: join(folder, 'warm'),
    choices: [{ format: 'bsdiff', compression: null }],
    limits: {},
  } as const;
  const warm: number[] = [];
  for (let run = 0; run < runs; run++)
    warm.push((await runTask('delta.make', input, context)).elapsedMs);
  runMeasured('bspatch', [sourcePath, join(folder, 'rebuilt'), ourPatch]);
  runMeasured('cmp', [targetPath, join(folder, 'rebuilt')]);
  return {
    pair,
    targetBytes,
    theirs: quickest(theirs),
    theirBytes: statSync(theirPatch).size,
    ours: quickest(ours),
    ourBytes: statSync(ourPatch).size,
    coldJobMs: Math.min(...proofs.map((proof) => proof.elapsedMs)),
    warmJobMs: median(warm),
  };
}

const thousands = (value: number): string => value.toLocaleString('en-US');

function line(row: Row): string {
  const ratio = (row.ours.elapsedMs / row.theirs.elapsedMs).toFixed(2);
  const cells = [
    row.pair.name,
    thousands(row.targetBytes),
    row.theirs.elapsedMs.toFixed(0),
    row.ours.elapsedMs.toFixed(0),
    ratio,
    row.coldJobMs.toFixed(0),
    row.warmJobMs.toFixed(0),
    thousands(row.theirBytes),
    thousands(row.ourBytes),
    (row.ourBytes / row.theirBytes).toFixed(3),
    megabytes(row.theirs.peakRssBytes),
    megabytes(row.ours.peakRssBytes),
  ];
  return `| ${cells.join(' | ')} |`;
}

it('makes BSDIFF40 patches in no more time than bsdiff, within a bounded memory', async () => {
  const { pairs, missing } = await realPairs();
  const rows: Row[] = [];
  for (const pair of [
    ...pairs,
    syntheticPair('code-16', 16 << 20),
    syntheticPair('code-64', 64 << 20),
  ])
    rows.push(await measure(pair));
  writeSection('delta', 'Making BSDIFF40 deltas', [
    `\`slipway delta make --format bsdiff\` against \`bsdiff\` ${debianVersion('bsdiff')}, whole processes in turns, the quickest`,
    'of 7 runs (3 above 1 MB). Ours includes hashing, applying the patch and comparing SHA-256, which',
    'bsdiff does not do. "Job" is our work without the start of the program: cold in a fresh process,',
    'warm (median) in one that has made a delta before, as in the window. Every patch was applied with',
    '`bspatch` and compared.',
    '',
    '| pair | target bytes | bsdiff ms | slipway ms | ratio | job cold ms | job warm ms | bsdiff patch | slipway patch | ratio | bsdiff peak MB | slipway peak MB |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map(line),
    '',
    ...rows.map(({ pair }) => `* ${pair.name}: ${pair.origin}`),
    ...missing.map((what) => `* not measured, not served any more: ${what}`),
    '',
    `Below ${thousands(comparedFromBytes)} bytes bsdiff is quicker: starting Node, and running code that is not compiled yet,`,
    'takes longer than the whole of its work; a warm job comes near. Memory may be 6 times the source,',
    '2 times the target and 100 MB.',
  ]);
  for (const { pair, targetBytes, ours, theirs } of rows) {
    if (targetBytes >= comparedFromBytes)
      expect(ours.elapsedMs, `${pair.name} in time`).toBeLessThanOrEqual(theirs.elapsedMs);
    const sourceBytes = statSync(pair.sourcePath).size;
    const mostBytes = 6 * sourceBytes + 2 * targetBytes + 100_000_000;
    expect(ours.peakRssBytes, `${pair.name} in memory`).toBeLessThanOrEqual(mostBytes);
  }
}, 1_200_000);

it('makes the other formats no larger than their own tools', async () => {
  const { pairs } = await realPairs();
  const rows = pairs.flatMap((pair) => measureFormats(pair, folder));
  writeSection('delta-formats', 'Making other delta formats', [
    `\`slipway delta make\` against \`xdelta3 -9 -S none -n -A\` ${debianVersion('xdelta3')} and detools 0.53.0 with its`,
    'own settings, one run of each as a whole process: CPU time, as detools is Python with a matcher in C.',
    'Ours includes applying the patch (in place: with a loss of power within each step) and comparing',
    'SHA-256. Every patch of ours was applied with the other tool and compared. In place: twice the image',
    'as memory, segments of 4096 bytes. Larger images are left out where detools takes minutes.',
    '',
    '| pair | format | their patch | slipway patch | ratio | their CPU ms | slipway CPU ms |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(({ pair, format, theirBytes, ourBytes, theirCpuMs, ourCpuMs }) => {
      const ratio = (ourBytes / theirBytes).toFixed(3);
      const times = [theirCpuMs, ourCpuMs].map((ms) => ms.toFixed(0));
      const cells = [pair, format, thousands(theirBytes), thousands(ourBytes), ratio, ...times];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
    ...sizeMeans(rows).map(
      ([format, mean]) => `* ${format}: ${mean.toFixed(3)} times the size, geometric mean`,
    ),
  ]);
  for (const { pair, format, ourBytes, theirBytes } of rows)
    expect(ourBytes, `${pair} as ${format}`).toBeLessThanOrEqual(theirBytes);
}, 1_200_000);
