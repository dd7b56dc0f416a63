import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { advise, type PatchRequest } from '../../../shared/domain/delta-cost.ts';
import { checkLineage } from '../../../shared/domain/identity/delta-rules.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { releaseHistory } from '../../../shared/domain/release-history.ts';
import { worstVerdict } from '../../../shared/domain/verdict.ts';
import type { PackageFile, VersionPackage } from '../../../shared/domain/product.ts';
import { deltaFinding } from '../../../shared/messages/rules/delta-rules.ts';
import { runTask } from '../../worker/run-task.ts';
import { componentOf, recordPackage } from '../bundle/bundle-service.ts';
import { FindingList } from '../bundle/finding-list.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { makeDelta } from './delta-service.ts';

/**
 * Makes the delta version package from one released full package to another, proven before it is recorded.
 * @throws ProblemError `delta-pair` when the two packages do not belong together, `delta-does-not-fit`
 */
export async function createDeltaPackage(
  workspace: Workspace,
  input: { sourcePackageId: string; targetPackageId: string } & PatchRequest,
  context: WorkContext,
): Promise<VersionPackage> {
  const source = workspace.get('package', input.sourcePackageId);
  const target = workspace.get('package', input.targetPackageId);
  const sourceFile = onlyFile(source);
  const targetFile = onlyFile(target);
  if (
    source.productId !== target.productId ||
    source.componentId !== target.componentId ||
    source.targetVersion === target.targetVersion
  ) {
    throw problem(
      'delta-pair',
      'These packages do not make a pair',
      `${source.name} and ${target.name} must be two versions of one component of one product.`,
      'Choose another source.',
      'usage',
    );
  }
  const component = componentOf(workspace.product(target.productId), target.componentId);
  const folder = workspace.internal('tmp');
  await mkdir(folder, { recursive: true });
  const outPath = join(folder, `${randomUUID()}.patch`);
  try {
    const proof = await makeDelta(
      {
        sourcePath: workspace.objects.path(sourceFile.sha256),
        targetPath: workspace.objects.path(targetFile.sha256),
        outPath,
        request: input,
        limits: component.delta ?? {},
      },
      context,
    );
    const stored = await workspace.objects.add(outPath, context);
    const file: PackageFile = {
      name: `${target.componentId}_${source.targetVersion}_${target.targetVersion}.bin`,
      role: 'delta',
      sizeBytes: stored.sizeBytes,
      sha256: stored.sha256,
      format: proof.format,
    };
    const lineage = new FindingList();
    checkLineage(
      {
        component,
        sourceVersion: source.targetVersion,
        targetVersion: target.targetVersion,
        proof,
        history: releaseHistory(target.productId, [source, target]),
      },
      lineage.add,
    );
    const findings = [
      deltaFinding(
        'delta.proven',
        `Applied to ${source.targetVersion} it gave the SHA-256 of ${target.targetVersion}.`,
        { expected: targetFile.sha256, found: proof.targetSha256 },
      ),
      ...lineage.list(),
    ];
    const compressed = await runTask(
      'delta.compressedSize',
      { path: workspace.objects.path(targetFile.sha256) },
      context,
    );
    const { publish, reason } = advise(proof.patchSizeBytes, compressed);
    if (publish === 'full') findings.push(deltaFinding('delta.saving', reason));
    return await recordPackage(
      workspace,
      {
        releaseId: target.releaseId,
        productId: target.productId,
        componentId: target.componentId,
        componentType: target.componentType,
        name: `${target.productId} ${target.componentId} ${source.targetVersion} to ${target.targetVersion}`,
        packageType: 'delta',
        sourceVersion: source.targetVersion,
        targetVersion: target.targetVersion,
        report: {
          verdict: worstVerdict(findings.map(({ verdict }) => verdict)),
          files: [
            {
              name: file.name,
              sizeBytes: file.sizeBytes,
              sha256: file.sha256,
              format: file.format,
              findings,
            },
          ],
        },
        ...(workspace.person === null ? {} : { author: workspace.person }),
        deltaProof: proof,
      },
      [{ path: workspace.objects.path(stored.sha256), file }],
      context,
    );
  } finally {
    await rm(outPath, { force: true });
  }
}

function onlyFile(pkg: VersionPackage): PackageFile {
  const [file, second] = pkg.files;
  if (!file || second || pkg.packageType !== 'full') {
    throw problem(
      'delta-pair',
      'A delta needs single-file full packages',
      `${pkg.name} is a ${pkg.packageType} package with ${pkg.files.length} files.`,
      'Choose full packages that hold one image each.',
      'usage',
    );
  }
  return file;
}
