import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCloud } from '../../electron/cloud/ota-cloud.ts';
import {
  loopbackOptions,
  Operator,
  type Refused,
  makeDevice,
  makePlan,
  productId,
} from '../support/cloud.ts';
import { peer } from '../support/peers.ts';

test('a full disk refuses what does not fit, loses nothing, and goes on when there is room', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-full-disk-'));
  const mounted = await peer('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
  if (mounted.code !== 0) {
    await rm(folder, { recursive: true });
    throw new Error(
      `The small disk of this test is mounted by root only; run the tests as root or with sudo. ${mounted.stderr}`,
    );
  }
  const dataDir = join(folder, 'data');
  const options = loopbackOptions(dataDir);
  let cloud = await createCloud(options);
  try {
    const operator = new Operator(cloud.http, cloud.token);
    await operator.declareDevices([makeDevice('dev-0')]);
    await expect(operator.putPackage(randomBytes(4_000_000))).rejects.toMatchObject({
      status: 507,
      code: 'disk-full',
    });
    expect(await readdir(join(dataDir, 'artifacts'))).toEqual([]);
    const packageId = await operator.putPackage(randomBytes(100_000));
    let stored = 1;
    let refusal: Refused | null = null;
    while (!refusal && stored < 50_000) {
      const some = Array.from({ length: 500 }, (_, index) => makeDevice(`dev-${stored + index}`));
      refusal = await operator.declareDevices(some).then(
        () => null,
        (error: Refused) => error,
      );
      if (!refusal) stored += some.length;
    }
    expect(refusal).toMatchObject({ status: 507, code: 'disk-full' });
    const plan = makePlan(packageId, { allowNeverReported: true });
    await expect(operator.publish(plan)).rejects.toMatchObject({ code: 'disk-full' });
    await expect(operator.status(plan.id)).rejects.toMatchObject({ code: 'plan-missing' });
    await cloud.close();

    await peer('mount', ['-o', 'remount,size=32m', folder]);
    cloud = await createCloud(options);
    const again = new Operator(cloud.http, cloud.token);
    const { total } = await again.call<{ total: number }>('GET', `/devices?productId=${productId}`);
    expect(total).toBe(stored);
    expect((await again.publish(plan)).counts.notUpgraded).toBe(stored);
  } finally {
    await cloud.close();
    // Lazily: the database driver closes its files when they are collected.
    await peer('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  }
});
