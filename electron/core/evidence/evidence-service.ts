import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OtaCloud } from '../../../shared/domain/cloud.ts';
import { canonicalJson } from '../../../shared/domain/canonical-json.ts';
import {
  type Evidence,
  type EvidenceReport,
  evidenceSchema,
} from '../../../shared/domain/evidence.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import type { RolloutDevice } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { writeFileAtomic } from '../atomic-file.ts';
import type { PlanService } from '../plan/plan-service.ts';
import type { Workspace } from '../workspace/workspace.ts';

const sha256 = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex');
const maxEvidenceBytes = 256 * 1024 * 1024;
const devicesPerPage = 500;

/** Collects everything known of a release into one file and records the export. */
export async function exportEvidence(
  workspace: Workspace,
  plans: PlanService,
  cloud: () => Promise<OtaCloud>,
  input: { releaseId: string; out?: string | undefined },
  context: WorkContext,
): Promise<{ path: string; sha256: string; sizeBytes: number }> {
  const release = workspace.release(input.releaseId);
  const packages = workspace.list('package', release.id);
  const benchRuns: Evidence['benchRuns'] = [];
  for (const run of workspace.list('benchRun', release.id)) {
    benchRuns.push({ ...run, recordingText: await readFile(run.result.recording, 'utf8') });
  }
  const rollouts: Evidence['rollouts'] = [];
  for (const { id, publishedAt } of workspace.list('plan', release.id)) {
    if (!publishedAt) continue;
    context.signal.throwIfAborted();
    const status = await plans.status(id);
    const devices = await allDevices(await cloud(), id, context);
    rollouts.push({
      plan: workspace.get('plan', id),
      gates: workspace.get('planCheck', id).gates,
      status,
      devices,
    });
  }
  const body = {
    schema: 'slipway.evidence/1' as const,
    exportedAt: new Date().toISOString(),
    release,
    packages,
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

/**
 * Checks a record by itself: form, every byte, recordings, and that its parts speak of the same images.
 * An unsigned record proves that it was not damaged, not who made it; the report says so.
 */
export async function verifyEvidence(path: string): Promise<EvidenceReport> {
  const { size } = await stat(path);
  if (size > maxEvidenceBytes)
    throw problem(
      'evidence-too-large',
      'The file is too large',
      `${path} has ${size} bytes; the limit is ${maxEvidenceBytes}.`,
      'Choose an evidence file.',
      'usage',
    );
  const bytes = await readFile(path);
  const text = bytes.toString('utf8');
  const checks: EvidenceReport['checks'][number][] = [];
  const add = (id: string, passed: boolean, good: string, bad: string): void =>
    void checks.push({ id, passed, why: passed ? good : bad });
  const parsed = evidenceSchema.safeParse(parseJson(text));
  add(
    'form',
    parsed.success,
    'It is a Slipway evidence record.',
    parsed.success
      ? ''
      : `Not a valid record: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`,
  );
  if (parsed.success) {
    const { digest, ...body } = parsed.data;
    add(
      'bytes',
      bytes.equals(Buffer.from(canonicalJson(parsed.data))),
      'The file is byte for byte what was written.',
      'The text is not in canonical form: bytes were added, removed or changed.',
    );
    const actual = sha256(canonicalJson(body));
    add(
      'digest',
      actual === digest,
      `SHA-256 ${digest}.`,
      `The content has SHA-256 ${actual}; the record says ${digest}.`,
    );
    const badRun = body.benchRuns.find((run) => sha256(run.recordingText) !== run.recordingSha256);
    add(
      'recordings',
      !badRun,
      `${body.benchRuns.length} serial recordings match their SHA-256.`,
      `The recording of bench run ${badRun?.id ?? ''} was changed.`,
    );
    const known = new Set(body.packages.flatMap((pkg) => pkg.files.map((file) => file.sha256)));
    const strayRun = body.benchRuns.find((run) => !known.has(run.imageSha256));
    add(
      'bench-images',
      !strayRun,
      'Every bench run flashed an image of this release.',
      `Bench run ${strayRun?.id ?? ''} flashed ${strayRun?.imageSha256 ?? ''}, which is not in the release.`,
    );
    const strayDelta = body.packages.find(
      (pkg) =>
        pkg.deltaProof &&
        (pkg.deltaProof.patchSha256 !== pkg.files[0]?.sha256 ||
          !known.has(pkg.deltaProof.targetSha256)),
    );
    add(
      'delta-proofs',
      !strayDelta,
      'Every delta proof names a patch and a target of this release.',
      `The proof of ${strayDelta?.name ?? ''} names other images.`,
    );
    add('signatures', true, 'Unsigned: the record shows damage, not who made it.', '');
  }
  return { verdict: checks.every((check) => check.passed) ? 'pass' : 'block', checks };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
