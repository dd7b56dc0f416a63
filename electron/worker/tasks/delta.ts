import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { DeltaProof } from '../../../shared/domain/product.ts';
import { applyBsdiff40, encodeBsdiff40 } from '../../../shared/formats/bsdiff40.ts';
import { findCovers } from '../../../shared/formats/delta-matcher.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import { bzip2 } from '../../core/delta/bzip2.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Makes a BSDIFF40 patch and writes it only after applying it gave the target's SHA-256. @throws ProblemError `delta-not-proven` */
export async function makeDeltaTask(
  input: { sourcePath: string; targetPath: string; outPath: string; format: 'auto' | 'bsdiff' },
  context: WorkContext,
): Promise<DeltaProof> {
  const startedMs = performance.now();
  const step = (name: string, done: number, total: number): void =>
    context.onProgress({ step: name, done, total, unit: 'bytes' });
  const source = await readFile(input.sourcePath);
  const target = await readFile(input.targetPath);
  const covers = findCovers(source, target, (done) => step('Matching', done, target.length));
  context.signal.throwIfAborted();
  step('Compressing', 0, target.length);
  const patch = await encodeBsdiff40(source, target, covers, bzip2);
  step('Proving', 0, target.length);
  const targetSha256 = sha256(target);
  if (sha256(await applyBsdiff40(source, patch, bzip2)) !== targetSha256) {
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
    format: 'bsdiff40',
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

/** Applies a patch; the format is found from the patch itself and nothing is written on an error. */
export async function applyDeltaTask(
  input: { sourcePath: string; patchPath: string; outPath: string },
  context: WorkContext,
): Promise<{ sha256: string; sizeBytes: number }> {
  const source = await readFile(input.sourcePath);
  const patch = await readFile(input.patchPath);
  context.onProgress({ step: 'Applying', done: 0, total: patch.length, unit: 'bytes' });
  const target = await applyBsdiff40(source, patch, bzip2);
  context.signal.throwIfAborted();
  await writeFileAtomic(input.outPath, target);
  return { sha256: sha256(target), sizeBytes: target.length };
}
