import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { brotliCompressSync, constants } from 'node:zlib';
import { DecoderMemory } from '../../../shared/delta/decoder-memory.ts';
import { readPatchHead } from '../../../shared/delta/patch-head.ts';
import { inspectPatch } from '../../../shared/delta/patch-inspector.ts';
import { maxTargetBytes, wrongSource } from '../../../shared/delta/patch-problems.ts';
import { readPatch } from '../../../shared/delta/patch-reader.ts';
import { makePatches, type OnPatchProgress } from '../../../shared/delta/patch-writer.ts';
import {
  type DeltaLimits,
  type DeviceCost,
  type PatchChoice,
  type PatchReport,
  patchFormatOf,
} from '../../../shared/domain/delta.ts';
import { choiceText } from '../../../shared/domain/delta-cost.ts';
import { deviceCost, objections } from '../../../shared/domain/delta-cost.ts';
import type { MeasuredPatch } from '../../../shared/domain/delta-matrix.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { DeltaProof } from '../../../shared/domain/product.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { sha256 } from '../../files/sha256.ts';

/** Of such patches the heads decide which is the smallest. */
const tinyPatchBytes = 4096;
/** Up to this size patches are made at once. */
const smallTargetBytes = 4 * 1024 * 1024;

interface Candidate {
  readonly choice: PatchChoice;
  readonly patch: Uint8Array;
  readonly cost: DeviceCost;
  readonly objections: readonly string[];
}

/** What to make from a pair, and for which device. */
interface PairOrder {
  readonly choices: readonly PatchChoice[];
  readonly limits: DeltaLimits;
}

/**
 * Makes the patches of the choices, keeps the smallest that the device can apply, and writes it only after applying it
 * gave the target's SHA-256. Of a small pair with a tiny patch the spare choices are made too.
 * @throws ProblemError `delta-not-proven` | `delta-too-large` | `delta-does-not-fit` | `delta-memory`
 */
export async function makeDeltaTask(
  input: PairOrder & {
    sourcePath: string;
    targetPath: string;
    outPath: string;
    spare?: readonly PatchChoice[];
  },
  context: WorkContext,
): Promise<DeltaProof> {
  const startedMs = performance.now();
  const source = await readBytes(input.sourcePath);
  const target = await readBytes(input.targetPath);
  const onProgress = (step: string, done: number): void =>
    context.onProgress({ step, done, total: target.length, unit: 'bytes' });
  const { patch } = smallestThatFits(source, target, input, onProgress);
  const order = { source, patch, targetSha256: sha256(target), limits: input.limits };
  const { proof } = proveAndCount(order, startedMs, onProgress);
  await writeFileAtomic(input.outPath, patch);
  return proof;
}

/** A patch that was made elsewhere: its proof, and why the device cannot apply it. */
export interface ProvenPatch {
  readonly proof: DeltaProof;
  readonly objections: readonly string[];
}

/**
 * Proves a patch that was made elsewhere.
 * @throws ProblemError `delta-not-proven` | `delta-ram` | `patch-format` | `patch-corrupt` | `patch-source` | `patch-unsupported`
 */
export async function proveDeltaTask(
  input: { sourcePath: string; patchPath: string; targetSha256: string; limits: DeltaLimits },
  context: WorkContext,
): Promise<ProvenPatch> {
  const startedMs = performance.now();
  const source = await readBytes(input.sourcePath);
  const patch = await readBytes(input.patchPath);
  const { targetSha256, limits } = input;
  return proveAndCount({ source, patch, targetSha256, limits }, startedMs, (step, done) =>
    context.onProgress({ step, done, total: 0, unit: 'bytes' }),
  );
}

function proveAndCount(
  order: Omit<ProofOrder, 'ramBytes'> & { readonly limits: DeltaLimits },
  startedMs: number,
  onProgress: OnPatchProgress,
): ProvenPatch {
  const { source, patch, targetSha256, limits } = order;
  const head = readPatchHead(patch);
  const cost = deviceCost(head, source.length, limits);
  const run = prove({ ...order, ramBytes: cost.ramBytes }, onProgress);
  const { format, compression, patchSizeBytes, targetSizeBytes } = head;
  const choice = { format: patchFormatOf(format), compression };
  return {
    objections: objections(choice, cost, limits),
    proof: {
      format,
      compression,
      cost,
      ...run,
      sourceSha256: sha256(source),
      targetSha256,
      patchSha256: sha256(patch),
      patchSizeBytes,
      targetSizeBytes,
      elapsedMs: Math.round(performance.now() - startedMs),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      proven: true,
    },
  };
}

/** A patch, what it must give from which source, and the RAM that the device has for its decoder. */
interface ProofOrder {
  readonly source: Uint8Array;
  readonly patch: Uint8Array;
  readonly targetSha256: string;
  readonly ramBytes: number;
}

/**
 * Applies a patch with the reader that shares no code with its writer, within the RAM that the device is said to need.
 * @throws ProblemError `delta-not-proven` | `delta-ram`
 */
function prove(
  { source, patch, targetSha256, ramBytes }: ProofOrder,
  onProgress: OnPatchProgress,
): Required<Pick<DeltaProof, 'proofRamBytes' | 'powerLosses'>> {
  const memory = new DecoderMemory(ramBytes);
  const rebuilt = createHash('sha256');
  let rebuiltBytes = 0;
  let powerLosses = 0;
  const onPowerLoss = (): void => void powerLosses++;
  for (const piece of readPatch(source, patch, { memory, onPowerLoss })) {
    rebuilt.update(piece);
    rebuiltBytes += piece.length;
    onProgress('Proving', rebuiltBytes);
  }
  const found = rebuilt.digest('hex');
  if (found === targetSha256) return { proofRamBytes: memory.mostBytes, powerLosses };
  throw problem(
    'delta-not-proven',
    'The delta could not be proven',
    `Applying it to its source gives SHA-256 ${found} instead of ${targetSha256}.`,
    'Publish the full package and report this pair.',
    'internal',
  );
}

function* candidates(
  source: Uint8Array,
  target: Uint8Array,
  { choices, limits }: PairOrder,
  onProgress: OnPatchProgress,
): Generator<Candidate> {
  for (const { choice, patch } of makePatches(source, target, choices, limits, onProgress)) {
    const cost = deviceCost(readPatchHead(patch), source.length, limits);
    yield { choice, patch, cost, objections: objections(choice, cost, limits) };
  }
}

function smallestThatFits(
  source: Uint8Array,
  target: Uint8Array,
  { choices, spare = [], limits }: PairOrder & { readonly spare?: readonly PatchChoice[] },
  onProgress: OnPatchProgress,
): Candidate {
  const refused: string[] = [];
  let best: Candidate | null = null;
  const tryAll = (some: readonly PatchChoice[]): void => {
    for (const candidate of candidates(source, target, { choices: some, limits }, onProgress)) {
      if (candidate.objections.length > 0)
        refused.push(`${choiceText(candidate.choice)}: ${candidate.objections.join('; ')}`);
      else if (!best || candidate.patch.length < best.patch.length) best = candidate;
    }
  };
  tryAll(choices);
  const found = best as Candidate | null;
  const isTiny = !found || found.patch.length <= tinyPatchBytes;
  if (isTiny && target.length <= smallTargetBytes) tryAll(spare);
  if (best) return best;
  throw problem(
    'delta-does-not-fit',
    'The device cannot apply a delta',
    refused.length > 0
      ? `${refused.join('. ')}.`
      : 'The formats and memory that are described for the device leave none to make.',
    'Publish the full package, or correct what slipway.yaml says under delta:.',
    'gate',
  );
}

/**
 * Applies a patch; the format is found from the patch itself and nothing is written on an error, nor when the result has
 * another SHA-256 than the expected one.
 */
export async function applyDeltaTask(
  input: { sourcePath: string; patchPath: string; outPath: string; expectedSha256?: string },
  context: WorkContext,
): Promise<{ sha256: string; sizeBytes: number }> {
  const source = await readBytes(input.sourcePath);
  const patch = await readBytes(input.patchPath);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  function* rebuild(): Generator<Uint8Array> {
    for (const piece of readPatch(source, patch)) {
      hash.update(piece);
      sizeBytes += piece.length;
      context.onProgress({ step: 'Applying', done: sizeBytes, total: 0, unit: 'bytes' });
      yield piece;
    }
    const found = hash.copy().digest('hex');
    if (input.expectedSha256 && found !== input.expectedSha256)
      throw wrongSource(`Applied to it, the patch gives SHA-256 ${found}`);
  }
  await writeFileAtomic(input.outPath, rebuild());
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** A choice to measure, and the file that keeps what was found. */
interface WantedMeasure {
  readonly choice: PatchChoice;
  readonly keptPath: string;
}

/**
 * Makes and proves the patches of all choices, and keeps size and cost of each as soon as it is proven: a job that is
 * stopped goes on behind the last of them. @throws ProblemError `delta-not-proven`
 */
export async function measureDeltasTask(
  input: {
    sourcePath: string;
    targetPath: string;
    wanted: readonly WantedMeasure[];
    limits: DeltaLimits;
  },
  context: WorkContext,
): Promise<void> {
  const source = await readBytes(input.sourcePath);
  const target = await readBytes(input.targetPath);
  const targetSha256 = sha256(target);
  const onProgress = (step: string, done: number): void =>
    context.onProgress({ step, done, total: target.length, unit: 'bytes' });
  const order = { choices: input.wanted.map(({ choice }) => choice), limits: input.limits };
  const paths = new Map(input.wanted.map((one) => [choiceText(one.choice), one.keptPath]));
  for (const candidate of candidates(source, target, order, onProgress)) {
    const { choice, patch, cost, objections: why } = candidate;
    prove({ source, patch, targetSha256, ramBytes: cost.ramBytes }, onProgress);
    const measured: MeasuredPatch = {
      ...choice,
      patchSizeBytes: patch.length,
      patchSha256: sha256(patch),
      cost,
      objections: [...why],
      proven: true,
    };
    const keptPath = paths.get(choiceText(choice));
    if (keptPath) await writeFileAtomic(keptPath, JSON.stringify(measured));
  }
}

/** Size of a file compressed by Brotli, quality 9, in bytes: what sending it in full costs. */
export async function compressedSizeTask(input: { path: string }): Promise<number> {
  const bytes = await readBytes(input.path);
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  const params = {
    [BROTLI_PARAM_QUALITY]: 9,
    [BROTLI_PARAM_LGWIN]: 24,
    [BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return brotliCompressSync(bytes, { params }).length;
}

/** Explains a patch. @throws ProblemError `patch-format` | `patch-corrupt` | `patch-unsupported` */
export async function inspectDeltaTask(input: { patchPath: string }): Promise<PatchReport> {
  return inspectPatch(await readBytes(input.patchPath));
}

/**
 * Reads a file as plain bytes: a Buffer is a kind of its own, and mixing kinds slows the inner loops down.
 * @throws ProblemError `delta-too-large`
 */
async function readBytes(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > maxTargetBytes)
    throw problem(
      'delta-too-large',
      'The file is too large for a delta',
      `${path} has ${size} bytes; the limit is ${maxTargetBytes}.`,
      'Publish the full package.',
      'usage',
    );
  const { buffer, byteOffset, length } = await readFile(path);
  return new Uint8Array(buffer, byteOffset, length);
}
