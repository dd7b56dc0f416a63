import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { DeltaProof } from '../../../shared/domain/product.ts';
import { makeBsdiff40, maxTargetBytes, readBsdiff40 } from '../../../shared/formats/bsdiff40.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { sha256 } from '../../files/sha256.ts';

/** Makes a BSDIFF40 patch and writes it only after applying it gave the target's SHA-256. @throws ProblemError `delta-not-proven` | `delta-too-large` */
export async function makeDeltaTask(
  input: { sourcePath: string; targetPath: string; outPath: string; format: 'auto' | 'bsdiff' },
  context: WorkContext,
): Promise<DeltaProof> {
  const startedMs = performance.now();
  const source = await readBytes(input.sourcePath);
  const target = await readBytes(input.targetPath);
  const step = (name: string, done: number): void =>
    context.onProgress({ step: name, done, total: target.length, unit: 'bytes' });
  const patch = makeBsdiff40(source, target, (done) => step('Comparing', done));
  const targetSha256 = sha256(target);
  const rebuilt = createHash('sha256');
  let rebuiltBytes = 0;
  for (const piece of readBsdiff40(source, patch)) {
    rebuilt.update(piece);
    rebuiltBytes += piece.length;
    step('Proving', rebuiltBytes);
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
  const source = await readBytes(input.sourcePath);
  const patch = await readBytes(input.patchPath);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  function* rebuild(): Generator<Uint8Array> {
    for (const piece of readBsdiff40(source, patch)) {
      hash.update(piece);
      sizeBytes += piece.length;
      context.onProgress({ step: 'Applying', done: sizeBytes, total: 0, unit: 'bytes' });
      yield piece;
    }
  }
  await writeFileAtomic(input.outPath, rebuild());
  return { sha256: hash.digest('hex'), sizeBytes };
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
