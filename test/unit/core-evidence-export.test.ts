import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeWaiver } from '../../electron/core/bundle/waiver-service.ts';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { exportEvidence } from '../../electron/core/evidence/export-evidence.ts';
import { verifyEvidence } from '../../electron/core/evidence/verify-evidence.ts';
import { PlanService } from '../../electron/core/plan/plan-service.ts';
import { createStudio } from '../../electron/core/studio.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import type { Evidence } from '../../shared/domain/evidence.ts';
import { planComponents } from '../../shared/domain/plan-draft.ts';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { makeDevice } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

const context = { signal: new AbortController().signal, onProgress: () => undefined };
let folder: string;
let server: TestCloud;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-evidence-export-'));
  await cp('resources/sample', folder, { recursive: true });
  const config = join(folder, 'slipway.yaml');
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('benchRunsRequired: 1', 'benchRunsRequired: 0'));
  server = await TestCloud.start();
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A cloud whose rollout goes on while its devices are read. */
class MovingCloud extends LocalCloud {
  move: () => Promise<void> = async () => undefined;

  override async rolloutDevices(...query: Parameters<LocalCloud['rolloutDevices']>) {
    await this.move();
    return super.rolloutDevices(...query);
  }
}

test('a record that is exported in the middle of a rollout adds up', async () => {
  const studio = await createStudio({ workspacePath: folder });
  const release = await studio.ask('releases.create', {
    productId: 'SENSOR-1',
    version: '1.1.0',
  });
  const pkg = await studio.ask('bundle.create', {
    releaseId: release.id,
    componentId: 'STM32',
    files: [join(folder, 'firmware/sensor-1.1.0.bin')],
  });
  await studio.close();

  const product = { productId: 'SENSOR-1', versions: { STM32: '1.0.0' } };
  await server.addDevices(makeDevice('dev-1', product), makeDevice('dev-2', product));
  const cloud = new MovingCloud(server.running);
  const workspace = await Workspace.open(folder);
  try {
    const plans = new PlanService(workspace, async () => cloud);
    const components = planComponents(release.id, [pkg]);
    const draft = { name: 'p', productId: 'SENSOR-1', releaseId: release.id, components };
    const plan = plans.create(planDraftSchema.parse({ ...draft, retries: 0 }));
    await plans.publish(plan.id, context);
    cloud.move = async () => {
      const device = new HandHttpDevice(server.running.http, 'dev-1', server.secretOf('dev-1'));
      const { href } = await device.begin();
      await device.feedback(href, 'closed', 'failure', '7');
    };
    const out = join(folder, 'record.json');
    const input = { releaseId: release.id, out };
    await exportEvidence(workspace, plans, async () => cloud, input, context);
    const report = await verifyEvidence(out);
    expect(report.checks.filter((check) => !check.passed)).toEqual([]);
    const record = JSON.parse(await readFile(out, 'utf8')) as Evidence;
    expect(record.rollouts[0]?.status).toMatchObject({
      counts: { notUpgraded: 1, failed: 1 },
      successRate: 0,
      failureReasons: [{ code: record.rollouts[0]?.devices[0]?.error, count: 1 }],
    });
  } finally {
    workspace.close();
  }
});

test('a waived file goes out, and its record stays true when the waiver is taken back later', async () => {
  const image = join(folder, 'radio.mini_1');
  await writeFile(image, '\x01\x02 version 1.1.0 \x00http://root:hunter22@10.0.0.1/update\x00');
  const config = join(folder, 'slipway.yaml');
  const text = await readFile(config, 'utf8');
  const policy = 'benchRunsRequired: 0\n      findings: { secret.url-credentials: block }';
  await writeFile(config, text.replace('benchRunsRequired: 0', policy));
  const target = { productId: 'SENSOR-1', version: '1.1.0' };
  const studio = await createStudio({ workspacePath: folder });
  const inspected = await studio.ask('bundle.inspect', { files: [image], ...target });
  const { sha256 = '', name: fileName = '' } = inspected.files[0] ?? {};
  const waiver = await studio.ask('waivers.add', {
    ...target,
    sha256,
    fileName,
    rule: 'secret.url-credentials',
    reason: 'the address is of the test bench',
    name: 'Bea Smith',
  });
  const request = { ...target, componentId: 'STM32', files: [image], author: 'Ann Lee' };
  const pkg = await studio.ask('bundle.create', request);
  await studio.close();

  await server.addDevices(
    makeDevice('dev-1', { productId: 'SENSOR-1', versions: { STM32: '1.0.0' } }),
  );
  const cloud = new LocalCloud(server.running);
  const workspace = await Workspace.open(folder);
  try {
    const plans = new PlanService(workspace, async () => cloud);
    const components = planComponents(pkg.releaseId, [pkg]);
    const draft = planDraftSchema.parse({
      name: 'p',
      productId: 'SENSOR-1',
      releaseId: pkg.releaseId,
      components,
    });
    const plan = plans.create(draft);
    const gate = (await plans.check(plan.id)).gates.find(({ id }) => id === 'waivers');
    expect(gate).toMatchObject({
      passed: true,
      why: 'radio.mini_1: secret.url-credentials by Bea Smith.',
    });
    await plans.publish(plan.id, context);
    const taken = { waiverId: waiver.id, name: 'Bea Smith', reason: 'it is in use after all' };
    expect(() => removeWaiver(workspace, taken)).toThrow(/relies on this waiver/);
    await plans.control(plan.id, 'terminate');
    removeWaiver(workspace, taken);

    const closed = (await plans.preview(draft)).gates.filter(({ passed }) => !passed);
    expect(closed.map(({ id }) => id)).toEqual(['findings']);
    const out = join(folder, 'record.json');
    const input = { releaseId: pkg.releaseId, out };
    await exportEvidence(workspace, plans, async () => cloud, input, context);
    const report = await verifyEvidence(out);
    expect(report.checks.filter((check) => !check.passed)).toEqual([]);
    const record = JSON.parse(await readFile(out, 'utf8')) as Evidence;
    expect(record.packages[0]?.report.verdict).toBe('block');
    expect(record.waivers?.[0]?.removed).toMatchObject({ name: 'Bea Smith' });
  } finally {
    workspace.close();
  }
});
