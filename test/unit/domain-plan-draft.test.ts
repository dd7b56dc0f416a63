import { expect, test } from 'vitest';
import { planComponents, planFileSchema, resolvePlanFile } from '../../shared/domain/plan-draft.ts';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import { deltaPackage, fullPackage, hash } from '../support/records.ts';

const release = {
  id: 'r-1.1.0',
  productId: 'SENSOR-1',
  version: '1.1.0',
  createdAt: '2026-01-01T00:00:00.000Z',
};
const packages = [
  fullPackage(),
  deltaPackage(hash('a')),
  fullPackage({ id: 'other', releaseId: 'r-1.0.0', targetVersion: '1.0.0' }),
];

test('a plan file becomes a draft with the full and delta packages of its release', () => {
  const file = planFileSchema.parse({
    product: 'SENSOR-1',
    version: '1.1.0',
    blacklist: ['D-9'],
  });
  const draft = resolvePlanFile(file, [release], packages);
  expect(planDraftSchema.parse(draft)).toEqual(draft);
  expect(draft).toMatchObject({
    name: 'SENSOR-1 1.1.0',
    releaseId: 'r-1.1.0',
    mode: 'silent',
    retries: 5,
    blacklist: ['D-9'],
    components: [
      {
        componentId: 'STM32',
        fullPackageId: 'full',
        deltas: [{ sourceVersion: '1.0.0', packageId: 'delta' }],
      },
    ],
  });
});

test('the newest package of a kind is taken', () => {
  const newer = fullPackage({ id: 'newer', createdAt: '2026-02-01T00:00:00.000Z' });
  expect(planComponents('r-1.1.0', [newer, fullPackage()])[0]?.fullPackageId).toBe('newer');
});

test('what is missing is named', () => {
  const plan = (changes: object) =>
    resolvePlanFile(
      planFileSchema.parse({ product: 'SENSOR-1', version: '1.1.0', ...changes }),
      [release],
      packages,
    );
  expect(() => plan({ version: '9' })).toThrow(/SENSOR-1, version 9/);
  expect(() => plan({ components: ['EC600N'] })).toThrow(/EC600N/);
  expect(() =>
    resolvePlanFile(planFileSchema.parse({ product: 'SENSOR-1', version: '1.1.0' }), [release], []),
  ).toThrow(/no version package/);
});

test('a misspelled field is refused, not ignored: it may be the blacklist', () => {
  const result = planFileSchema.safeParse({
    product: 'SENSOR-1',
    version: '1.1.0',
    blackList: ['D-1'],
  });
  expect(result.error?.issues[0]?.message).toMatch(/blackList/);
});

test('a delta that rebuilds another image than the full package is left out', () => {
  const stale = deltaPackage(hash('b'), { id: 'stale', createdAt: '2026-02-01T00:00:00.000Z' });
  const [component] = planComponents('r-1.1.0', [fullPackage(), stale]);
  expect(component).toMatchObject({ fullPackageId: 'full', deltas: [] });
});

test('components are taken modules first, or in the sequence that the file gives', () => {
  const module = fullPackage({ id: 'module', componentId: 'EC600N', componentType: 'module' });
  const ids = (changes: object): string[] =>
    resolvePlanFile(
      planFileSchema.parse({ product: 'SENSOR-1', version: '1.1.0', ...changes }),
      [release],
      [fullPackage(), module],
    ).components.map(({ componentId }) => componentId);
  expect(ids({})).toEqual(['EC600N', 'STM32']);
  expect(ids({ upgradeSequence: ['STM32', 'EC600N'] })).toEqual(['STM32', 'EC600N']);
  expect(() => ids({ upgradeSequence: ['STM32'] })).toThrow(/upgradeSequence names STM32/);
  expect(() =>
    ids({ plannedTime: { start: '2026-01-01T00:00', end: '2026-01-02T00:00' } }),
  ).toThrow(/time zone/);
});
