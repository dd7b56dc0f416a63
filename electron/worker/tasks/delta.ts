import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { readPatchHead } from '../../../shared/delta/patch-head.ts';
import { inspectPatch } from '../../../shared/delta/patch-inspector.ts';
import { maxTargetBytes } from '../../../shared/delta/patch-problems.ts';
import { readPatch } from '../../../shared/delta/patch-reader.ts';
import { choiceText, makePatches } from '../../../shared/delta/patch-writer.ts';
import type {
  DeltaLimits,
  DeviceCost,
  PatchChoice,
  PatchHead,
  PatchReport,
} from '../../../shared/domain/delta.ts';
import { deviceCost, objections } from '../../../shared/domain/delta-cost.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { DeltaProof } from '../../../shared/domain/product.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { sha256 } from '../../files/sha256.ts';

interface Candidate {
  readonly choice: PatchChoice;
  readonly patch: Uint8Array;
  readonly head: PatchHead;
  readonly cost: DeviceCost;
}

/**
 * Makes the patches of the choices, keeps the smallest that the device can apply, and writes it only after applying it
 * gave the target's SHA-256.
 * @throws ProblemError `delta-not-proven` | `delta-too-large` | `delta-does-not-fit` | `delta-memory`
 */
export async function makeDeltaTask(
  input: {
    sourcePath: string;
    targetPath: string;
    outPath: string;
    choices: readonly PatchChoice[];
    limits: DeltaLimits;
  },
  context: WorkContext,
): Promise<DeltaProof> {
  const startedMs = performance.now();
  const source = await readBytes(input.sourcePath);
  const target = await readBytes(input.targetPath);
  const onProgress = (step: string, done: number): void =>
    context.onProgress({ step, done, total: target.length, unit: 'bytes' });
  const { patch, head, cost } = smallestThatFits(source, target, input, onProgress);
  const targetSha256 = sha256(target);
  const rebuilt = createHash('sha256');
  let rebuiltBytes = 0;
  for (const piece of readPatch(source, patch, true)) {
    rebuilt.update(piece);
    rebuiltBytes += piece.length;
    onProgress('Proving', rebuiltBytes);
  }
  if (rebuilt.digest('hex') !== targetSha256) {
    throw problem(
      'delta-not-proven',
      'The delta could not be proven',
      `Applying it to ${input.sourcePath} does not give ${input.targetPath}.`,
      'Publish the full package and report this pair.',
      'internal',
    );
  }
  await writeFileAtomic(input.outPath, patch);
  return {
    format: head.format,
    compression: head.compression,
    cost,
    sourceSha256: sha256(source),
    targetSha256,
    patchSha256: sha256(patch),
    patchSizeBytes: patch.length,
    targetSizeBytes: target.length,
    elapsedMs: Math.round(performance.now() - startedMs),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    proven: true,
  };
}

function smallestThatFits(
  source: Uint8Array,
  target: Uint8Array,
  { choices, limits }: { choices: readonly PatchChoice[]; limits: DeltaLimits },
  onProgress: (step: string, done: number) => void,
): Candidate {
  const refused: string[] = [];
  let best: Candidate | null = null;
  for (const { choice, patch } of makePatches(source, target, choices, limits, onProgress)) {
    const head = readPatchHead(patch);
    const cost = deviceCost(head, source.length, limits);
    const why = objections(choice, cost, limits);
    if (why.length > 0) refused.push(`${choiceText(choice)}: ${why.join('; ')}`);
    else if (!best || patch.length < best.patch.length) best = { choice, patch, head, cost };
  }
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

/** Applies a patch; the format is found from the patch itself and nothing is written on an error. */
export async function applyDeltaTask(
  input: { sourcePath: string; patchPath: string; outPath: string },
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
  }
  await writeFileAtomic(input.outPath, rebuild());
  return { sha256: hash.digest('hex'), sizeBytes };
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
