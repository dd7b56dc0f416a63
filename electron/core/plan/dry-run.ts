import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DryRun, rehearsal, sampleScope } from '../../../shared/domain/dry-run.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import type {
  Device,
  Plan,
  PlanDraft,
  PlanStatus,
  Transport,
} from '../../../shared/domain/plan.ts';
import { summarizeScope } from '../../../shared/domain/scope.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { FleetProcess } from '../clouds/fleet-process.ts';
import { LocalCloud } from '../clouds/local-cloud.ts';
import { LocalCloudProcess } from '../clouds/local-cloud-process.ts';
import { untilReported } from '../clouds/reported-devices.ts';
import { sourceImages } from '../clouds/source-images.ts';
import { successTimes, timeAt } from '../clouds/success-times.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { PlanService } from './plan-service.ts';

const pollMs = 200;

/**
 * Carries a plan out with its real packages in a cloud of its own, in a temporary folder, with
 * simulated devices that run what the real ones run. The real cloud is only asked for its devices.
 * @throws ProblemError `no-devices`, `fleet-unreachable` …
 */
export async function dryRun(
  workspace: Workspace,
  plans: PlanService,
  { plan: draft, devices: size }: { readonly plan: PlanDraft; readonly devices: number },
  context: WorkContext,
): Promise<DryRun> {
  context.onProgress({ step: 'Reading the devices', done: 0, total: 0, unit: 'items' });
  const { devices, decisions } = await plans.decide(draft);
  const chosen = decisions.filter(({ action }) => action !== 'skip').length;
  const sample = sampleScope(draft, devices, decisions, size);
  if (sample.length === 0) throw nobody();
  const folder = await mkdtemp(join(tmpdir(), 'slipway-dry-run-'));
  const cloudProcess = new LocalCloudProcess({ dataDir: join(folder, 'cloud') });
  const lost = new AbortController();
  const fleet = new FleetProcess({ onLost: (failure) => lost.abort(failure) });
  const signal = AbortSignal.any([context.signal, lost.signal]);
  try {
    context.onProgress({ step: 'Starting the scratch cloud', done: 0, total: 0, unit: 'items' });
    const endpoint = await cloudProcess.start();
    signal.throwIfAborted();
    const cloud = new LocalCloud(endpoint);
    const { id: productId, name } = workspace.product(draft.productId);
    await cloud.putProduct({ id: productId, name });
    const { secrets } = await cloud.putDevices(sample);
    await fleet.start({
      endpoint,
      users: draft.mode === 'manual' ? 'confirm' : 'ignore',
      images: sourceImages(workspace, productId, runningOf(draft, sample)),
      devices: sample.map(({ id, transport, versions }) => ({
        id,
        transport,
        versions,
        secret: secrets[id] ?? '',
      })),
    });
    await untilReported(cloud, sample, {
      signal,
      onReported: (done) =>
        context.onProgress({ step: 'Devices report', done, total: sample.length, unit: 'items' }),
    });
    const plan = scratchPlan(draft);
    const startedMs = Date.now();
    await plans.send(plan, { ...context, signal }, { cloud });
    const status = await untilOver(cloud, plan.id, sample.length, { ...context, signal });
    const elapsedMs = Date.now() - startedMs;
    const timesMs = await successTimes(cloud, plan.id);
    const since = (atMs: number | null): number | null => (atMs === null ? null : atMs - startedMs);
    const { full, delta } = summarizeScope(plans.decideFor(plan, sample));
    return {
      devices: sample.length,
      scope: chosen,
      transports: {
        http: countOf(sample, 'http'),
        mqtt: countOf(sample, 'mqtt'),
        lwm2m: countOf(sample, 'lwm2m'),
      },
      full,
      delta,
      state: status.state === 'suspended' || status.state === 'terminated' ? status.state : 'ended',
      upgraded: status.counts.upgraded,
      failed: status.counts.failed,
      failures: status.failureReasons,
      elapsedMs,
      p50Ms: since(timeAt(timesMs, 0.5)),
      p99Ms: since(timeAt(timesMs, 0.99)),
    };
  } finally {
    await fleet.stop();
    await cloudProcess.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilOver(
  cloud: LocalCloud,
  planId: string,
  total: number,
  { signal, onProgress }: WorkContext,
): Promise<PlanStatus> {
  for (;;) {
    const status = await cloud.status(planId);
    const { notUpgraded, upgrading } = status.counts;
    const done = total - notUpgraded - upgrading;
    onProgress({ step: 'Upgrading simulated devices', done, total, unit: 'items' });
    const isStopped = status.state === 'suspended' && upgrading === 0;
    if (notUpgraded + upgrading === 0 || isStopped) return status;
    await sleep(pollMs, undefined, { signal });
  }
}

function runningOf(plan: PlanDraft, sample: readonly Device[]) {
  return plan.components.flatMap(({ componentId }) => {
    const versions = new Set(sample.flatMap((device) => device.versions[componentId] ?? []));
    return [...versions].map((version) => ({ componentId, version }));
  });
}

function scratchPlan(draft: PlanDraft): Plan {
  const createdAt = new Date().toISOString();
  return { ...rehearsal(draft), id: randomUUID(), state: 'saved', createdAt, publishedAt: null };
}

const countOf = (sample: readonly Device[], transport: Transport): number =>
  sample.filter((device) => device.transport === transport).length;

const nobody = () =>
  problem(
    'no-devices',
    'The plan reaches no device',
    'There is none that a simulated one could stand for.',
    'Check the batches, the lists and the source versions of the plan.',
    'usage',
  );
