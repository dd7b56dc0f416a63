import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../electron/cloud/clock.ts';
import { CloudDatabase } from '../../electron/cloud/store/database.ts';
import { DeviceStore } from '../../electron/cloud/store/devices.ts';
import { ServedTime } from '../../electron/cloud/store/served-time.ts';
import { makeDevice, productId } from '../support/cloud.ts';

test('a device that was heard a moment ago is unknown once it is removed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-devices-'));
  const db = new CloudDatabase(join(folder, 'cloud.db'));
  const devices = new DeviceStore(db, new ServedTime(db, systemClock()));
  try {
    await devices.putProduct(productId, productId);
    await devices.put([makeDevice('dev-1')], false);
    expect(devices.seen('nobody')).toBe(false);
    expect([devices.seen('dev-1'), devices.seen('dev-1')]).toEqual([true, true]);
    await db.write(() => devices.markRemoved('dev-1'));
    expect(devices.seen('dev-1')).toBe(false);
  } finally {
    await devices.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
