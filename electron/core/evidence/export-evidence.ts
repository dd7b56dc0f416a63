import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OtaCloud } from '../../../shared/domain/cloud.ts';
import { canonicalJson } from '../../../shared/domain/canonical-json.ts';
import type { Evidence } from '../../../shared/domain/evidence.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import type { PlanStatus, RolloutDevice } from '../../../shared/domain/plan.ts';
import { stageTally } from '../../../shared/domain/stage-tally.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { judgedPackages } from '../bundle/waiver-service.ts';
import type { PlanService } from '../plan/plan-service.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { sha256 } from '../../files/sha256.ts';

const devicesPerPage = 1000;

/** Collects everything known of a release into one file and records the export. */
export async function exportEvidence(
  workspace: Workspace,
  plans: PlanService,
  cloud: () => Promise<OtaCloud>,
  input: { releaseId: string; out?: string | undefined },
  context: WorkContext,
): Promise<{ path: string; sha256: string; sizeBytes: number }> {
  const release = workspace.release(input.releaseId);
  const recorded = workspace.list('package', release.id);
  const benchRuns: Evidence['benchRuns'] = [];
  const images = new Set(recorded.flatMap((pkg) => pkg.files.map((file) => file.sha256)));
  for (const run of workspace.list('benchRun')) {
    if (!images.has(run.imageSha256)) continue;
    benchRuns.push({ ...run, recordingText: await readFile(run.result.recording, 'utf8') });
  }
  const rollouts: Evidence['rollouts'] = [];
  for (const { id, publishedAt } of workspace.list('plan', release.id)) {
    if (!publishedAt) continue;
    context.signal.throwIfAborted();
    const status = await plans.status(id);
    const devices = await allDevices(await cloud(), id, context);
    const { product, gates } = workspace.get('planCheck', id);
    rollouts.push({
      plan: workspace.get('plan', id),
      product,
      gates,
      status: tallied(status, devices),
      devices,
    });
  }
  // At one moment, so that the marks of the packages are those of the waivers in the record.
  const exportedAt = new Date().toISOString();
  const ids = new Set(recorded.map(({ id }) => id));
  const packages = judgedPackages(workspace, release.id).filter(({ id }) => ids.has(id));
  const body = {
    schema: 'slipway.evidence/1' as const,
    exportedAt,
    release,
    packages,
    waivers: workspace
      .list('waiver')
      .filter(
        ({ productId, version }) => productId === release.productId && version === release.version,
      ),
    benchRuns,
    rollouts,
    signatures: { state: 'unsigned' as const, entries: [] },
  };
  const evidence: Evidence = { ...body, digest: sha256(canonicalJson(body)) };
  const text = canonicalJson(evidence);
  const path =
    input.out ??
    join(workspace.folder, 'evidence', `${release.productId}-${release.version}.evidence.json`);
  await writeFileAtomic(path, text);
  const result = { path, sha256: sha256(text), sizeBytes: Buffer.byteLength(text) };
  workspace.put('evidence', release.id, {
    id: path,
    path,
    releaseId: release.id,
    version: release.version,
    exportedAt: body.exportedAt,
    sha256: result.sha256,
  });
  return result;
}

/** The numbers of these devices: while they were read page by page, the rollout went on. */
function tallied(status: PlanStatus, devices: readonly RolloutDevice[]): PlanStatus {
  const counts = { notUpgraded: 0, upgrading: 0, upgraded: 0, failed: 0, noUpdateRequired: 0 };
  const reasons = new Map<string, number>();
  for (const { state, error } of devices) {
    counts[state]++;
    const code = error ?? 'unknown';
    if (state === 'failed') reasons.set(code, (reasons.get(code) ?? 0) + 1);
  }
  const finished = counts.upgraded + counts.failed;
  return {
    ...status,
    counts,
    successRate: finished === 0 ? null : counts.upgraded / finished,
    failureReasons: [...reasons].map(([code, count]) => ({ code, count })),
    ...(status.stages
      ? { stages: status.stages.map((one) => ({ ...one, ...stageTally(one.stage, devices) })) }
      : {}),
  };
}

async function allDevices(
  cloud: OtaCloud,
  planId: string,
  context: WorkContext,
): Promise<RolloutDevice[]> {
  const devices: RolloutDevice[] = [];
  for (;;) {
    const page = await cloud.rolloutDevices(planId, {
      offset: devices.length,
      limit: devicesPerPage,
    });
    devices.push(...page.items);
    context.onProgress({
      step: 'Collecting devices',
      done: devices.length,
      total: page.total,
      unit: 'items',
    });
    if (devices.length >= page.total || page.items.length === 0) return devices;
  }
}
