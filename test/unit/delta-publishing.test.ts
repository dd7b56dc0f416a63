import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { exportEvidence } from '../../electron/core/evidence/export-evidence.ts';
import { verifyEvidence } from '../../electron/core/evidence/verify-evidence.ts';
import { PlanService } from '../../electron/core/plan/plan-service.ts';
import { createStudio } from '../../electron/core/studio.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { sha256 } from '../../electron/files/sha256.ts';
import type { Evidence } from '../../shared/domain/evidence.ts';
import type { Plan } from '../../shared/domain/plan.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';
import { componentId, makeDevice, productId } from '../support/cloud.ts';
import { hash } from '../support/records.ts';
import { firmwareLike } from '../support/patches.ts';
import { TestCloud } from '../support/test-cloud.ts';

const delta = 'delta: { formats: [detools-inplace], memoryBytes: 65536, segmentBytes: 4096 }';
const yaml = (described: string): string => `version: 1
name: Deltas
products:
  - id: ${productId}
    name: Product
    components:
      - { id: ${componentId}, name: Application, type: mcu, ${described} }
`;
const context = { signal: new AbortController().signal, onProgress: () => undefined };

let folder: string;
let cloud: TestCloud;
let made: VersionPackage;

/** A delta from 1.0.0 to 1.1.0, and a device in the field that runs 1.0.0. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-delta-publishing-'));
  await writeFile(join(folder, 'slipway.yaml'), yaml(delta));
  const studio = await createStudio({ workspacePath: folder });
  const bundle = async (version: string, number: number): Promise<VersionPackage> => {
    const file = join(folder, `app-${version}.bin`);
    await writeFile(file, firmwareLike(30_000, number));
    return studio.ask('bundle.create', { productId, version, componentId, files: [file] });
  };
  try {
    const source = await bundle('1.0.0', 0);
    const target = await bundle('1.1.0', 1);
    made = await studio.ask('delta.create', {
      sourcePackageId: source.id,
      targetPackageId: target.id,
    });
  } finally {
    await studio.close();
  }
  cloud = await TestCloud.start();
  await new LocalCloud(cloud.running).putProduct({ id: productId, name: 'Product' });
  await cloud.addDevices(makeDevice('dev-1'));
}, 60_000);
afterAll(async () => {
  await cloud.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Publishes the delta, whose record is changed before it, through the gates of the plan. */
async function publish(
  changes: Partial<VersionPackage>,
  described = delta,
  after: (workspace: Workspace, plans: PlanService) => Promise<unknown> = async () => undefined,
): Promise<string> {
  await writeFile(join(folder, 'slipway.yaml'), yaml(described));
  const workspace = await Workspace.open(folder);
  try {
    workspace.put('package', made.releaseId, { ...made, ...changes });
    const plans = new PlanService(workspace, async () => new LocalCloud(cloud.running));
    const { id }: Plan = plans.create({
      name: 'plan',
      productId,
      releaseId: made.releaseId,
      mode: 'silent',
      components: [
        {
          componentId,
          componentType: 'mcu',
          targetVersion: '1.1.0',
          fullPackageId: null,
          deltas: [{ sourceVersion: '1.0.0', packageId: made.id }],
        },
      ],
      batches: [],
      whitelist: [],
      blacklist: [],
      retries: 0,
    });
    await plans.publish(id, context);
    await after(workspace, plans);
    return id;
  } finally {
    await workspace.close();
  }
}

test('the proof records what was applied to what, and in which memory', () => {
  expect(made.deltaProof).toMatchObject({
    format: 'detools-inplace',
    sourceSha256: sha256(firmwareLike(30_000, 0)),
    targetSha256: sha256(firmwareLike(30_000, 1)),
    patchSha256: made.files[0]?.sha256,
    proven: true,
  });
  // Eight segments are moved and eight are made, each with three losses of power.
  expect(made.deltaProof?.powerLosses).toBe(48);
  expect(made.deltaProof?.proofRamBytes).toBeLessThanOrEqual(made.deltaProof?.cost?.ramBytes ?? 0);
});

test.each([
  ['without a proof', { deltaProof: null }],
  ['with the proof of another file', { deltaProof: 'patchSha256' }],
  ['with the proof of another target', { deltaProof: 'targetSha256' }],
] as const)('no proof, no publishing: a delta %s', async (_what, { deltaProof }) => {
  const proof = made.deltaProof;
  if (!proof) throw new Error('the delta has no proof');
  const changed = deltaProof === null ? null : { ...proof, [deltaProof]: hash('f') };
  const failure = publish({ deltaProof: changed });
  await expect(failure).rejects.toMatchObject({ problem: { code: 'gates-closed', kind: 'gate' } });
  await expect(failure).rejects.toThrow(`Not proven against the full image of this release`);
});

test('a delta that was proven from another image than its source version has closes the gate', async () => {
  const proof = made.deltaProof;
  if (!proof) throw new Error('the delta has no proof');
  const failure = publish({ deltaProof: { ...proof, sourceSha256: hash('e') } });
  await expect(failure).rejects.toMatchObject({ problem: { code: 'gates-closed', kind: 'gate' } });
  await expect(failure).rejects.toThrow('Proven from another image than that of their source');
});

test.each([
  ['less RAM', `${delta.slice(0, -2)}, ramBytes: 1000 }`, 'of RAM, the device has 1000 B'],
  ['less flash', delta.replace('65536', '32768'), 'of flash, the device has 32.0 KiB'],
  ['another decoder', 'delta: { formats: [bsdiff] }', 'decodes bsdiff, not detools-inplace'],
  [
    'other compressions',
    `${delta.slice(0, -2)}, compressions: [crle] }`,
    'its decoder has crle, not ',
  ],
])('a device with %s than the delta needs closes the gate', async (_what, described, why) => {
  const failure = publish({}, described);
  await expect(failure).rejects.toMatchObject({ problem: { code: 'gates-closed' } });
  await expect(failure).rejects.toThrow('Devices can apply every delta');
  await expect(failure).rejects.toThrow(why);
});

test('needs that were never counted are no promise to a device that is described', async () => {
  const { cost: _cost, ...uncounted } = made.deltaProof ?? {};
  const deltaProof = uncounted as VersionPackage['deltaProof'];
  await expect(publish({ deltaProof })).rejects.toThrow('before its needs were counted');
});

test('with its proof it is published, and the evidence has the three hashes', async () => {
  const out = join(folder, 'evidence.json');
  const planId = await publish({}, delta, (workspace, plans) =>
    exportEvidence(
      workspace,
      plans,
      async () => new LocalCloud(cloud.running),
      { releaseId: made.releaseId, out },
      context,
    ),
  );
  expect((await cloud.operator.devices(planId)).map(({ deviceId }) => deviceId)).toEqual(['dev-1']);
  const evidence = JSON.parse(await readFile(out, 'utf8')) as Evidence;
  expect(evidence.packages.find(({ id }) => id === made.id)?.deltaProof).toEqual(made.deltaProof);
  expect(evidence.rollouts[0]?.gates.map(({ id }) => id)).toContain('delta-devices');
  expect(await verifyEvidence(out)).toMatchObject({ verdict: 'pass' });
});
