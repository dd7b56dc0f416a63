import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { entryPath } from '../../electron/worker/run-task.ts';
import type { DeltaProof } from '../../shared/domain/product.ts';
import type { Pair } from './corpus.ts';
import { runMeasured } from './measure.ts';

export const detools = resolve('.peers/python/bin/detools');
const python = resolve('.peers/python/bin/python');
/** HPatchLite of PyPI's hdiffpatch, with a dictionary as large as ours may be and literal lines, as ours has. */
const hpatchLiteScript = `
import hdiffpatch, sys
verb, source, other, out = sys.argv[1:]
source, other = (open(name, 'rb').read() for name in (source, other))
tinyuz = hdiffpatch.TuzConfig(dict_size=8 << 20, literal_line=True)
if verb == 'apply':
    made = hdiffpatch.apply_lite(source, other)
else:
    made = hdiffpatch.diff_lite(
        source, other, compression=tinyuz if verb == 'tinyuz' else None, validate=False)
open(out, 'wb').write(made)
`;
/** HDIFF13 of the same package, with the largest effort of its LZMA. */
const hdiffScript = `
import hdiffpatch, sys
verb, source, other, out = sys.argv[1:]
source, other = (open(name, 'rb').read() for name in (source, other))
if verb == 'apply':
    made = hdiffpatch.apply(source, other)
else:
    lzma = hdiffpatch.LzmaConfig(level=9, window=24)
    made = hdiffpatch.diff(source, other, lzma, validate=False)
open(out, 'wb').write(made)
`;
/** detools itself takes minutes for larger images. */
export const detoolsMostBytes = 5_000_000;
/** Larger images take minutes in all. */
const vcdiffMostBytes = 30_000_000;
const detoolsInPlaceMostBytes = 1_000_000;
const segmentBytes = 4096;

/** One format of one pair: ours beside what its own tool makes. */
export interface FormatRow {
  readonly pair: string;
  readonly format: string;
  readonly ourBytes: number;
  readonly theirBytes: number;
  readonly ourCpuMs: number;
  readonly theirCpuMs: number;
}

interface Rival {
  readonly format: string;
  readonly args: readonly string[];
  readonly mostBytes: number;
  readonly make: (pair: Pair, patch: string, memoryBytes: number) => [string, ...string[]];
  /** Applies our patch and leaves the result in `out`. */
  readonly apply: (
    pair: Pair,
    patch: string,
    out: string,
    memoryBytes: number,
  ) => [string, ...string[]];
}

const rivals: readonly Rival[] = [
  {
    format: 'VCDIFF',
    args: ['--format', 'vcdiff'],
    mostBytes: vcdiffMostBytes,
    make: ({ sourcePath, targetPath }, patch) => [
      'xdelta3',
      '-9',
      '-S',
      'none',
      '-n',
      '-A',
      '-f',
      '-s',
      sourcePath,
      targetPath,
      patch,
    ],
    apply: ({ sourcePath }, patch, out) => ['xdelta3', '-d', '-f', '-s', sourcePath, patch, out],
  },
  ...(['crle', 'heatshrink', 'lzma'] as const).map(
    (compression): Rival => ({
      format: `detools, ${compression}`,
      args: ['--format', 'detools', '--compression', compression],
      mostBytes: detoolsMostBytes,
      make: ({ sourcePath, targetPath }, patch) => [
        detools,
        'create_patch',
        '-c',
        compression,
        sourcePath,
        targetPath,
        patch,
      ],
      apply: ({ sourcePath }, patch, out) => [detools, 'apply_patch', sourcePath, patch, out],
    }),
  ),
  ...(['none', 'tinyuz'] as const).map(
    (compression): Rival => ({
      format: `HPatchLite, ${compression}`,
      args: ['--format', 'hpatchlite', '--compression', compression],
      mostBytes: detoolsMostBytes,
      make: ({ sourcePath, targetPath }, patch) => [
        python,
        '-c',
        hpatchLiteScript,
        compression,
        sourcePath,
        targetPath,
        patch,
      ],
      apply: ({ sourcePath }, patch, out) => [
        python,
        '-c',
        hpatchLiteScript,
        'apply',
        sourcePath,
        patch,
        out,
      ],
    }),
  ),
  {
    format: 'HDIFF13, lzma',
    args: ['--format', 'hdiffpatch', '--compression', 'lzma'],
    mostBytes: detoolsMostBytes,
    make: ({ sourcePath, targetPath }, patch) => [
      python,
      '-c',
      hdiffScript,
      'make',
      sourcePath,
      targetPath,
      patch,
    ],
    apply: ({ sourcePath }, patch, out) => [
      python,
      '-c',
      hdiffScript,
      'apply',
      sourcePath,
      patch,
      out,
    ],
  },
  {
    format: 'detools in place, heatshrink',
    args: ['--format', 'detools-inplace', '--compression', 'heatshrink'],
    mostBytes: detoolsInPlaceMostBytes,
    make: ({ sourcePath, targetPath }, patch, memoryBytes) => [
      detools,
      'create_patch_in_place',
      '-c',
      'heatshrink',
      '--memory-size',
      `${memoryBytes}`,
      '--segment-size',
      `${segmentBytes}`,
      sourcePath,
      targetPath,
      patch,
    ],
    apply: ({ sourcePath }, patch, out, memoryBytes) => [
      'sh',
      '-c',
      'cp "$0" "$2" && truncate -s "$3" "$2" && "$4" apply_patch_in_place "$2" "$1"',
      sourcePath,
      patch,
      out,
      `${memoryBytes}`,
      detools,
    ],
  },
];

/** Makes every format of a pair with ours and its own tool, and applies ours with that tool. */
export function measureFormats(pair: Pair, folder: string): FormatRow[] {
  const targetBytes = statSync(pair.targetPath).size;
  const largest = Math.max(targetBytes, statSync(pair.sourcePath).size);
  const memoryBytes = Math.ceil(largest / segmentBytes) * segmentBytes * 2;
  const [ours, theirs, out] = ['ours', 'theirs', 'rebuilt'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  return rivals
    .filter(({ mostBytes }) => targetBytes <= mostBytes)
    .map(({ format, args, make, apply }) => {
      const [tool, ...toolArgs] = make(pair, theirs, memoryBytes);
      const theirCost = runMeasured(tool, toolArgs);
      const memory = ['--memory-bytes', `${memoryBytes}`, '--segment-bytes', `${segmentBytes}`];
      const command = ['delta', 'make', pair.sourcePath, pair.targetPath, '-o', ours, '--json'];
      const ourCost = runMeasured(process.execPath, [
        entryPath('cli'),
        ...command,
        ...args,
        ...memory,
      ]);
      const [applier, ...applierArgs] = apply(pair, ours, out, memoryBytes);
      runMeasured(applier, applierArgs);
      runMeasured('cmp', ['-n', `${targetBytes}`, pair.targetPath, out]);
      const proof = JSON.parse(ourCost.stdout) as DeltaProof;
      return {
        pair: pair.name,
        format,
        ourBytes: proof.patchSizeBytes,
        theirBytes: statSync(theirs).size,
        ourCpuMs: ourCost.cpuMs,
        theirCpuMs: theirCost.cpuMs,
      };
    });
}

/** Geometric mean of ours over theirs in size, by format. */
export function sizeMeans(rows: readonly FormatRow[]): readonly (readonly [string, number])[] {
  return [...new Set(rows.map(({ format }) => format))].map((format) => {
    const own = rows.filter((row) => row.format === format);
    const ratios = own.map(({ ourBytes, theirBytes }) => ourBytes / theirBytes);
    return [format, geometricMean(ratios)] as const;
  });
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
