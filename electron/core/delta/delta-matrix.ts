import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { canonicalJson } from '../../../shared/domain/canonical-json.ts';
import type { DeltaLimits } from '../../../shared/domain/delta.ts';
import { advise, allowedChoices } from '../../../shared/domain/delta-cost.ts';
import {
  type DeltaMatrix,
  type MatrixRow,
  type MeasuredPatch,
  matrixSources,
  measuredPatchSchema,
} from '../../../shared/domain/delta-matrix.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { runTask } from '../../worker/run-task.ts';
import { componentOf } from '../bundle/bundle-service.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** Results of other encoders are not taken from the cache: to be raised when patches change. */
const encoderVersion = 5;

/**
 * Measures every source version of a component that is in the field against a release, in every format that the
 * component allows. What was measured is kept by the hashes of its inputs, so that a job that was cancelled goes on.
 * @throws ProblemError `delta-target` and what the worker finds
 */
export async function measureMatrix(
  workspace: Workspace,
  input: { releaseId: string; componentId: string },
  devicesByVersion: ReadonlyMap<string, number> | null,
  context: WorkContext,
): Promise<DeltaMatrix> {
  const release = workspace.release(input.releaseId);
  const limits = componentOf(workspace.product(release.productId), input.componentId).delta ?? {};
  const packages = workspace.list('package');
  const target = packages.find(
    (pkg) =>
      pkg.releaseId === release.id &&
      pkg.componentId === input.componentId &&
      pkg.packageType === 'full' &&
      pkg.files.length === 1,
  );
  const targetFile = target?.files[0];
  if (!target || !targetFile)
    throw problem(
      'delta-target',
      'There is no image to make deltas to',
      `Release ${release.version} has no full package of ${input.componentId} with a single file.`,
      'Bundle the image first.',
      'usage',
    );
  const cache = new MeasureCache(workspace);
  const compressedFullBytes = await cache.compressedBytes(targetFile.sha256, context);
  const sources = matrixSources(target, packages, devicesByVersion);
  const rows: MatrixRow[] = [];
  for (const [index, source] of sources.entries()) {
    context.signal.throwIfAborted();
    const step = `From ${source.targetVersion}, ${index + 1} of ${sources.length}`;
    const patches = await cache.patches(source, targetFile.sha256, limits, {
      signal: context.signal,
      onProgress: (progress) =>
        context.onProgress({ ...progress, step: `${step}: ${progress.step}` }),
    });
    rows.push(rowOf(source, patches, devicesByVersion, compressedFullBytes));
  }
  const released = new Set([...sources.map((pkg) => pkg.targetVersion), target.targetVersion]);
  return {
    productId: target.productId,
    componentId: target.componentId,
    targetVersion: target.targetVersion,
    targetSha256: targetFile.sha256,
    targetSizeBytes: targetFile.sizeBytes,
    compressedFullBytes,
    rows,
    unreleased: [...(devicesByVersion ?? [])]
      .filter(([version]) => !released.has(version))
      .map(([version, devices]) => ({ version, devices })),
  };
}

function rowOf(
  source: VersionPackage,
  patches: readonly MeasuredPatch[],
  devicesByVersion: ReadonlyMap<string, number> | null,
  compressedFullBytes: number,
): MatrixRow {
  let best: number | null = null;
  for (const [index, { objections, patchSizeBytes }] of patches.entries()) {
    const smallest = best === null ? Number.POSITIVE_INFINITY : patches[best]!.patchSizeBytes;
    if (objections.length === 0 && patchSizeBytes < smallest) best = index;
  }
  return {
    sourceVersion: source.targetVersion,
    sourcePackageId: source.id,
    sourceSha256: source.files[0]?.sha256 ?? '',
    devices: devicesByVersion && (devicesByVersion.get(source.targetVersion) ?? 0),
    patches: patches.map((patch) => ({
      ...patch,
      ratio: patch.patchSizeBytes / Math.max(1, compressedFullBytes),
    })),
    best,
    advice:
      best === null
        ? { publish: 'full', reason: 'The device can apply none of the patches.' }
        : advise(patches[best]!.patchSizeBytes, compressedFullBytes),
  };
}

async function readMeasured(path: string): Promise<MeasuredPatch | null> {
  const kept = measuredPatchSchema.safeParse(await readJson(path));
  return kept.success ? kept.data : null;
}

/** Measurements as files named by the SHA-256 of what they depend on. */
class MeasureCache {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  compressedBytes(sha256: string, context: WorkContext): Promise<number> {
    return this.#kept({ compressed: sha256 }, z.number(), () =>
      runTask('delta.compressedSize', { path: this.#workspace.objects.path(sha256) }, context),
    );
  }

  async patches(
    source: VersionPackage,
    targetSha256: string,
    limits: DeltaLimits,
    context: WorkContext,
  ): Promise<MeasuredPatch[]> {
    const sourceSha256 = source.files[0]?.sha256 ?? '';
    const wanted = allowedChoices(limits).map((choice) => ({
      choice,
      keptPath: this.#path({
        encoderVersion,
        source: sourceSha256,
        target: targetSha256,
        limits,
        choice,
      }),
    }));
    const { objects } = this.#workspace;
    const pair = { sourcePath: objects.path(sourceSha256), targetPath: objects.path(targetSha256) };
    const found = await Promise.all(wanted.map(({ keptPath }) => readMeasured(keptPath)));
    const missing = wanted.filter((_one, index) => found[index] === null);
    if (missing.length > 0)
      await runTask('delta.measure', { ...pair, wanted: missing, limits }, context);
    const measured = await Promise.all(wanted.map(({ keptPath }) => readMeasured(keptPath)));
    return measured.filter((patch) => patch !== null);
  }

  #path(key: object): string {
    const name = createHash('sha256').update(canonicalJson(key)).digest('hex');
    return this.#workspace.internal('cache', 'delta', `${name}.json`);
  }

  async #kept<T>(key: object, schema: z.ZodType<T>, make: () => Promise<T>): Promise<T> {
    const path = this.#path(key);
    const kept = schema.safeParse(await readJson(path));
    if (kept.success) return kept.data;
    const made = await make();
    await writeFileAtomic(path, JSON.stringify(made));
    return made;
  }
}

/** What a file of the cache holds; null when there is none, or what is there is damaged. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT')
      return null;
    throw error;
  }
}
