import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../electron/cloud/clock.ts';
import { CloudDatabase } from '../../electron/cloud/store/database.ts';
import { DeviceStore } from '../../electron/cloud/store/devices.ts';
import { ServedTime } from '../../electron/cloud/store/served-time.ts';
import { componentId, makeDevice, productId } from '../support/cloud.ts';
import { backToVersion } from '../support/first-version.ts';

afterEach(() => void vi.useRealTimers());

interface Opened {
  readonly db: CloudDatabase;
  readonly devices: DeviceStore;
  readonly path: string;
}

async function withStore(work: (opened: Opened) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-devices-'));
  try {
    await open(join(folder, 'cloud.db'), work);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function open(path: string, work: (opened: Opened) => Promise<void>): Promise<void> {
  const db = new CloudDatabase(path);
  const devices = new DeviceStore(db, new ServedTime(db, systemClock()));
  try {
    await devices.putProduct(productId, productId);
    await work({ db, devices, path });
  } finally {
    await devices.close();
    db.close();
  }
}

test('a device that was heard a moment ago is unknown once it is removed', () =>
  withStore(async ({ db, devices }) => {
    await devices.put([makeDevice('dev-1')], false);
    expect(devices.seen('nobody')).toBe(false);
    expect([devices.seen('dev-1'), devices.seen('dev-1')]).toEqual([true, true]);
    await db.write(() => devices.markRemoved('dev-1'));
    expect(devices.seen('dev-1')).toBe(false);
  }));

test('what is declared about a device is kept apart from what it reports, with time and protocol', () =>
  withStore(async ({ db, devices }) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T10:00:00Z') });
    const report = (version: string, protocol: 'ddi' | 'mqtt' = 'mqtt') =>
      db.write(() => devices.report('dev-1', { [componentId]: version }, protocol));
    const declare = (version: string, rotate = false) =>
      devices.put([makeDevice('dev-1', { versions: { [componentId]: version } })], rotate);
    const known = () => devices.get('dev-1');

    // Whoever adds a device cannot say that it reported.
    await declare('1.0.0');
    expect(known()).toMatchObject({ versions: { [componentId]: '1.0.0' }, reports: {} });
    await declare('1.0.1');
    expect(known()?.versions).toEqual({ [componentId]: '1.0.1' });

    await report('1.0.5');
    const first = { version: '1.0.5', at: '2026-03-01T10:00:00.000Z', protocol: 'mqtt' };
    expect(known()).toMatchObject({
      versions: { [componentId]: '1.0.5' },
      reports: { [componentId]: first },
    });
    await declare('1.0.2');
    expect(known()?.versions).toEqual({ [componentId]: '1.0.5' });

    // A repetition is noted once an hour, another protocol at once.
    vi.setSystemTime(Date.parse('2026-03-01T10:59:00Z'));
    await report('1.0.5');
    expect(devices.reports('dev-1')[componentId]).toEqual(first);
    await report('1.0.5', 'ddi');
    expect(devices.reports('dev-1')[componentId]).toMatchObject({ protocol: 'ddi' });
    vi.setSystemTime(Date.parse('2026-03-01T12:01:00Z'));
    await report('1.0.5', 'ddi');
    expect(devices.reports('dev-1')[componentId]?.at).toBe('2026-03-01T12:01:00.000Z');

    // A device that is provisioned anew is another one.
    await declare('1.0.3', true);
    expect(known()).toMatchObject({ versions: { [componentId]: '1.0.3' }, reports: {} });
    expect(known()?.reports).toEqual({});
  }));

test('of an older database only what a device must have said itself counts as reported', () =>
  withStore(async ({ devices, db, path }) => {
    const seenAt = '2026-02-01T00:00:00.000Z';
    await devices.put(
      [
        makeDevice('mqtt-heard', { lastSeenAt: seenAt }),
        makeDevice('mqtt-silent'),
        makeDevice('http-heard', { transport: 'http', lastSeenAt: seenAt }),
        makeDevice('http-proven', {
          transport: 'http',
          lastSeenAt: seenAt,
          versions: { [componentId]: '1.1.0', MODEM: 'R05' },
        }),
      ],
      false,
    );
    await devices.close();
    db.close();
    backToVersion(path, 5, { devices: ['reports'] }, (exec) => {
      exec(`INSERT INTO plans (id, seq, product_id, state, body, skipped, published_at)
        VALUES ('p', 1, '${productId}', 'ended', '{}', '[]', '${seenAt}')`);
      exec(`INSERT INTO rollout (plan_id, device_id, state, updated_at)
        VALUES ('p', 'http-proven', 'upgraded', '${seenAt}')`);
      exec(`INSERT INTO rollout_components
        (plan_id, device_id, ordinal, component_id, state, from_version, to_version, package_type)
        VALUES ('p', 'http-proven', 0, '${componentId}', 'upgradeSucceeded', '1.0.0', '1.1.0', 'full')`);
    });
    await open(path, async (later) => {
      expect(later.devices.reports('mqtt-heard')).toEqual({
        [componentId]: { version: '1.0.0', at: seenAt, protocol: 'mqtt' },
      });
      expect(later.devices.reports('mqtt-silent')).toEqual({});
      expect(later.devices.reports('http-heard')).toEqual({});
      expect(later.devices.reports('http-proven')).toEqual({
        [componentId]: { version: '1.1.0', at: seenAt, protocol: 'ddi' },
      });
      expect(later.devices.versions('http-heard')).toEqual({ [componentId]: '1.0.0' });
    });
  }));
