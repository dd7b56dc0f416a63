import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyDeltaTask } from '../../../electron/worker/tasks/delta.ts';
import { inspectPatch } from '../../../shared/delta/patch-inspector.ts';
import { readPatchHead } from '../../../shared/delta/patch-head.ts';
import { readPatch } from '../../../shared/delta/patch-reader.ts';
import type { PatchChoice } from '../../../shared/domain/delta.ts';
import { choiceText } from '../../../shared/domain/delta-cost.ts';
import { ProblemError } from '../../../shared/domain/problem.ts';
import { Bzip2Writer } from '../../../shared/formats/bzip2-writer.ts';
import { everyChoice, firmwareLike, makePatch } from '../patches.ts';
import { patches as peerPatches } from '../peer-files.ts';
import { type FuzzSubject, outcome } from './fuzz-subject.ts';

/** Who applies a patch knows how much to expect; a few bytes can announce 512 MB. */
const mostExpectedBytes = 1024 * 1024;
const place = { memoryBytes: 4096, segmentBytes: 256 };
const source = firmwareLike(2400, 0);
const target = Uint8Array.from([
  ...firmwareLike(1000, 2),
  ...Buffer.from('version 1.1.0'),
  ...firmwareLike(2400, 1).subarray(1100),
]);
/** Sources that the patches were not made from: a longer and a shorter one, and one of the same size. */
const wrongSources = [
  Uint8Array.from([...source, ...source]),
  source.subarray(0, 700),
  new Uint8Array(source.length),
];

const isPatchProblem = (error: unknown): boolean =>
  error instanceof ProblemError &&
  /^patch-(format|corrupt|source|unsupported)$/.test(error.problem.code);

/** Rebuilds as much as is expected; what ends without an error must have the announced size. */
function rebuild(from: Uint8Array, patch: Uint8Array): string | undefined {
  let sizeBytes = 0;
  for (const piece of readPatch(from, patch)) {
    sizeBytes += piece.length;
    if (sizeBytes > mostExpectedBytes) return 'larger than expected';
  }
  const { targetSizeBytes } = readPatchHead(patch);
  if (sizeBytes !== targetSizeBytes)
    throw new Error(`${sizeBytes} bytes were made, ${targetSizeBytes} announced`);
  return undefined;
}

/** Applies a patch to its source and to a wrong one, and explains it. */
function decode(bytes: Buffer): readonly string[] {
  const patch = Uint8Array.from(bytes);
  const wrong = wrongSources[patch.length % wrongSources.length] ?? source;
  const explain = (): undefined => {
    if (readPatchHead(patch).targetSizeBytes <= mostExpectedBytes) inspectPatch(patch);
  };
  return [
    `source: ${outcome(() => rebuild(source, patch), isPatchProblem)}`,
    `wrong source: ${outcome(() => rebuild(wrong, patch), isPatchProblem)}`,
    `explained: ${outcome(explain, isPatchProblem)}`,
  ];
}

/** The seeds of one decoder: a patch of ours, of an empty target and of equal images. */
function seedsOf(choice: PatchChoice): Uint8Array[] {
  return [
    makePatch(source, target, choice, place),
    makePatch(source, new Uint8Array(0), choice, place),
    makePatch(source, source, choice, place),
  ];
}

/** Patches of HPatchLite in both compressions. */
export const hpatchLiteSeeds: readonly Uint8Array[] = (['none', 'tinyuz'] as const).flatMap(
  (compression) => seedsOf({ format: 'hpatchlite', compression }),
);

/** Compresses with bzip2. */
export function packBzip2(bytes: Uint8Array): Uint8Array {
  const writer = new Bzip2Writer();
  writer.push(bytes);
  return writer.finish();
}

/** Two control entries: 200 bytes copied, 10 inserted, 50 passed over; then 300 copied. */
const control = Buffer.alloc(48);
for (const [index, number] of [200, 10, 50, 300, 0, -100].entries())
  control.writeBigUInt64LE(BigInt(Math.abs(number)) | (number < 0 ? 1n << 63n : 0n), index * 8);
const [diff, extra] = [Buffer.alloc(500, 1), Buffer.alloc(10, 7)];
const madeBytes = diff.length + extra.length;

/**
 * BSDIFF40 before its streams are packed, so that control entries can be mutated: the sizes of the
 * first two streams as 16-bit numbers, the target size, and the streams.
 */
function plainBsdiff40(): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(control.length, 0);
  head.writeUInt16LE(diff.length, 2);
  head.writeBigUInt64LE(BigInt(madeBytes), 4);
  return Buffer.concat([head, control, diff, extra]);
}

function packBsdiff40(plain: Buffer): Buffer {
  const head = Buffer.alloc(12);
  plain.copy(head);
  const diffAt = 12 + head.readUInt16LE(0);
  const extraAt = diffAt + head.readUInt16LE(2);
  const streams = [
    packBzip2(plain.subarray(12, diffAt)),
    packBzip2(plain.subarray(diffAt, extraAt)),
    packBzip2(plain.subarray(extraAt)),
  ] as const;
  const start = Buffer.alloc(32);
  start.write('BSDIFF40', 'latin1');
  start.writeBigUInt64LE(BigInt(streams[0].length), 8);
  start.writeBigUInt64LE(BigInt(streams[1].length), 16);
  start.set(head.subarray(4), 24);
  return Buffer.concat([start, ...streams]);
}

/** BSDIFF43 before its stream is packed: the target size, and entry after entry with its bytes. */
function plainBsdiff43(): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(madeBytes));
  const [first, second] = [control.subarray(0, 24), control.subarray(24)];
  return Buffer.concat([size, first, diff.subarray(0, 200), extra, second, diff.subarray(200)]);
}

function packBsdiff43(plain: Buffer): Buffer {
  const size = Buffer.alloc(8);
  plain.copy(size);
  return Buffer.concat([Buffer.from('ENDSLEY/BSDIFF43'), size, packBzip2(plain.subarray(8))]);
}

/** VCDIFF in one window and in several, and what xdelta3 makes with checksums. */
const vcdiffSeeds = [
  ...seedsOf({ format: 'vcdiff', compression: null }),
  makePatch(source, target, { format: 'vcdiff', compression: null }, { ramBytes: 5500 }),
  peerPatches.xdelta,
];

const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder with a source, and with a file that stands where the target will be written. */
function applyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-fuzz-'));
  folders.add(folder);
  writeFileSync(join(folder, 'source'), source);
  writeFileSync(join(folder, 'out'), 'kept');
  return folder;
}

let folder = '';

/** Applies a patch as `slipway delta apply` does: on an error the file that was there stays, and no other is left. */
async function applyToFile(patch: Buffer): Promise<readonly string[]> {
  folder ||= applyFolder();
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('patch'), patch);
  const paths = { sourcePath: at('source'), patchPath: at('patch'), outPath: at('out') };
  const context = { signal: new AbortController().signal, onProgress: () => undefined };
  const told = await applyDeltaTask(paths, context).then(
    ({ sizeBytes }) => {
      if (readFileSync(at('out')).length !== sizeBytes) throw new Error('it was not written');
      writeFileSync(at('out'), 'kept');
      return 'written';
    },
    (error: unknown) => {
      if (!isPatchProblem(error)) throw error;
      if (readFileSync(at('out'), 'utf8') !== 'kept') throw new Error('the file was changed');
      return (error as ProblemError).problem.code;
    },
  );
  const names = readdirSync(folder).sort().join();
  if (names !== 'out,patch,source') throw new Error(`these files are left: ${names}`);
  return [told];
}

/** Every decoder of patches, with all that a patch is read for. */
export const patchSubjects: readonly FuzzSubject[] = [
  { name: 'bsdiff40', seeds: [...seedsOf({ format: 'bsdiff', compression: null })], read: decode },
  {
    name: 'bsdiff40 streams',
    seeds: [plainBsdiff40()],
    read: (plain) => decode(packBsdiff40(plain)),
  },
  {
    name: 'bsdiff43 patch',
    seeds: seedsOf({ format: 'bsdiff43', compression: null }),
    read: decode,
  },
  {
    name: 'bsdiff43 stream',
    seeds: [plainBsdiff43()],
    read: (plain) => decode(packBsdiff43(plain)),
  },
  { name: 'vcdiff patch', seeds: vcdiffSeeds, read: decode },
  ...everyChoice
    .filter(({ compression }) => compression !== null)
    .map((choice) => ({ name: choiceText(choice), seeds: seedsOf(choice), read: decode })),
  {
    name: 'patch into a file',
    seeds: everyChoice.map((choice) => makePatch(source, target, choice, place)),
    share: 0.1,
    read: applyToFile,
  },
];
