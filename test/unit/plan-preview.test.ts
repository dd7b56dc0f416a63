import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseDeviceList } from '../../shared/domain/device-list.ts';
import { type Device, type PlanDraft, planDraftSchema } from '../../shared/domain/plan.ts';
import { type PreviewFacts, previewPlan } from '../../shared/domain/plan-preview.ts';
import type { Product } from '../../shared/domain/product.ts';
import { decideScope, summarizeScope } from '../../shared/domain/scope.ts';
import { scopeCsv } from '../../shared/report/scope-csv.ts';
import { componentId, makeDevice, makePackage, makePlan, productId } from '../support/cloud.ts';

const policy = { chinaTelecomIccidPrefixes: [] };
const full = { pkg: makePackage({ id: 'full', name: 'whole' }), sizeBytes: 1000 };
const delta = {
  pkg: makePackage({ id: 'delta', packageType: 'delta', sourceVersion: '1.0.0' }),
  sizeBytes: 100,
};
const product = (linkBytesPerSecond?: number): Product => ({
  id: productId,
  name: 'Sensor',
  components: [
    {
      id: componentId,
      name: 'Application',
      type: 'mcu',
      ...(linkBytesPerSecond ? { delta: { linkBytesPerSecond } } : {}),
    },
  ],
  policy: { benchRunsRequired: 0 },
});

function preview(devices: readonly Device[], changes: Partial<PlanDraft> = {}, more = {}) {
  const [component] = makePlan('full').components;
  const plan = planDraftSchema.parse({
    ...makePlan('full'),
    components: [{ ...component, deltas: [{ sourceVersion: '1.0.0', packageId: 'delta' }] }],
    ...changes,
  });
  const decisions = decideScope(plan, devices, policy);
  const facts: PreviewFacts = {
    plan,
    decisions,
    devices,
    packages: [full, delta],
    product: product(),
    lastRollout: null,
    cohortSeed: 'seed',
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    ...more,
  };
  return { ...previewPlan(facts), decisions };
}

const fleet = (count: number, fields: (at: number) => Partial<Device> = () => ({})) =>
  Array.from({ length: count }, (_, at) => makeDevice(`dev-${at}`, fields(at)));
const mixed = fleet(10, (at) => ({
  versions: at === 0 ? {} : { [componentId]: at < 4 ? '1.0.5' : '1.0.0' },
}));

describe('what a plan takes', () => {
  test('bytes over the air are size by devices, in total, by package and by stage', () => {
    const stages = [
      { upToPercent: 30, soakMinutes: 10, successPercent: 95, finishedPercent: 90, hold: false },
      { soakMinutes: 10, successPercent: 95, finishedPercent: 90, hold: false },
    ];
    const found = preview(mixed, { stages });
    expect(found.packages).toMatchObject([
      { name: 'whole', devices: 3, airBytes: 3000 },
      { packageId: 'delta', devices: 6, airBytes: 600 },
    ]);
    expect(found.airBytes).toBe(3600);
    const parts = found.stages ?? [];
    expect(parts.map(({ devices }) => devices)).toEqual([3, 6]);
    expect(parts.reduce((sum, part) => sum + part.airBytes, 0)).toBe(3600);
    expect(parts.map(({ soakMs }) => soakMs)).toEqual([600_000, 0]);
    // Dealt by id, so that it is what the devices of the stage will download; without an id, by share.
    expect((parts[0]?.airBytes ?? 0) % 100).toBe(0);
    expect(preview(mixed, { stages }, { cohortSeed: null }).stages?.[0]?.airBytes).toBe(1200);
  });

  test('a component more is a package more for each device', () => {
    const [app] = makePlan('full').components;
    const modem = { ...app, componentId: 'MODEM', fullPackageId: 'modem' } as never;
    const packages = [
      full,
      { pkg: makePackage({ id: 'modem', componentId: 'MODEM' }), sizeBytes: 5000 },
    ];
    const both = fleet(2, () => ({ versions: { [componentId]: '1.0.0', MODEM: '1.0.0' } }));
    const found = preview(both, { components: [app as never, modem] }, { packages });
    expect(found.airBytes).toBe(12_000);
  });
});

describe('how long it takes', () => {
  test('nothing told: not known, and what is missing', () => {
    const { duration } = preview(mixed);
    expect(duration).toMatchObject({ ms: null, basis: 'unknown' });
    expect(duration.assumptions[0]).toContain('delta.linkBytesPerSecond');
  });

  test('from the link speed of the slowest device, and the poll interval where devices ask', () => {
    const slow = { product: product(10) };
    expect(preview(mixed, {}, slow).duration).toMatchObject({ ms: 100_000, basis: 'linkSpeed' });
    const asking = mixed.map((device) => ({ ...device, transport: 'http' as const }));
    expect(preview(asking, {}, slow).duration.ms).toBe(105_000);
    const manual = preview(mixed, { mode: 'manual' }, slow).duration.assumptions;
    expect(manual).toContain('Every user confirms at once.');
  });

  test('measured in the last rollout, which wins; more devices take longer', () => {
    const lastRollout = { planName: 'Spring', devices: 3, timeTo95Ms: 60_000 };
    const found = preview(mixed, {}, { lastRollout, product: product(10) }).duration;
    expect(found).toMatchObject({ ms: 180_000, basis: 'lastRollout' });
    expect(found.assumptions[0]).toContain('Spring');
    const more = { ...lastRollout, devices: 900 };
    expect(preview(mixed, {}, { lastRollout: more }).duration.ms).toBe(60_000);
  });

  test('only while the push period is open', () => {
    const pushPeriod = { from: '23:30', to: '00:30' };
    const lastRollout = { planName: 'Spring', devices: 9, timeTo95Ms: 90 * 60_000 };
    const { ms } = preview(mixed, { pushPeriod, timeZone: 'UTC' }, { lastRollout }).duration;
    expect(ms).toBe(24 * 3_600_000 + 30 * 60_000);
  });
});

describe('more devices than a plan takes', () => {
  test('are split by batches where those divide them', () => {
    const three = fleet(21_000, (at) => ({ batch: `B${at % 3}` }));
    expect(preview(three).split).toEqual({
      plans: 3,
      byBatch: ['B0', 'B1', 'B2'].map((batch) => ({ batches: [batch], devices: 7000 })),
    });
    expect(preview(fleet(10_001)).split).toEqual({ plans: 2, byBatch: null });
    expect(preview(fleet(10_000)).split).toBeNull();
  });

  test('10,000 devices are previewed in a blink', () => {
    const many = fleet(10_000, (at) => ({ versions: { [componentId]: `1.0.${at % 9}` } }));
    const stages = [
      { upToPercent: 5, soakMinutes: 0, successPercent: 0, finishedPercent: 90, hold: false },
      { soakMinutes: 0, successPercent: 0, finishedPercent: 90, hold: false },
    ];
    const startedMs = performance.now();
    const found = preview(many, { stages });
    expect(found.packages.reduce((sum, { devices }) => sum + devices, 0)).toBe(10_000);
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});

test('the table of the scope has every device once, and its ids are a device list', () => {
  const { decisions } = preview(mixed, { blacklist: ['dev-1'] });
  expect(summarizeScope(decisions).skipped.map(({ reason }) => reason)).toEqual([
    'blacklisted',
    'neverReported',
  ]);
  const text = scopeCsv(decisions);
  expect(text).toContain('dev-0,skip,neverReported,It never reported the version of APP.\r\n');
  expect(parseDeviceList(text).ids).toHaveLength(10);
  expect(parseDeviceList(scopeCsv(decisions, 'delta')).ids).toHaveLength(6);
  const [odd] = decisions.map((decision) => ({ ...decision, detail: '=1,"2"' }));
  expect(scopeCsv(odd ? [odd] : [])).toContain(`"'=1,""2"""`);
});
