import { describe, expect, it, test } from 'vitest';
import {
  combinationsAfter,
  incompatible,
  relatedComponents,
  worksTogether,
} from '../../shared/domain/compatibility.ts';
import { computeGates } from '../../shared/domain/gates.ts';
import { decideScope } from '../../shared/domain/scope.ts';
import { makeDevice, makePlan } from '../support/cloud.ts';
import { product } from '../support/identity.ts';
import { fullPackage } from '../support/records.ts';

const compatibility = [
  { STM32: '>=1.0.0 <2.0.0', EC600N: '<=R05' },
  { STM32: '>=2.0.0', EC600N: '>=R06 || R04' },
];
const matrix = product({ compatibility }, { versionScheme: 'semver' });

describe('versions that work together', () => {
  it.each([
    [{ STM32: '1.9.9', EC600N: 'R05' }, true],
    [{ STM32: '1.9.9', EC600N: 'R06' }, false],
    [{ STM32: '2.0.0', EC600N: 'R04' }, true],
    [{ STM32: '2.0.0', EC600N: 'R05' }, false],
    [{ STM32: '2.0.0' }, true],
    [{ STM32: '0.9.0' }, false],
    [{ EC600N: 'R09' }, true],
    [{ OTHER: '0.0.1' }, true],
    [{}, true],
    // Not written as the scheme says: nobody has said that it works.
    [{ STM32: 'unknown', EC600N: 'R05' }, false],
  ])('%j: %j', (versions, expected) => {
    expect(worksTogether(matrix, versions as Record<string, string>)).toBe(expected);
    expect(worksTogether(product(), versions as Record<string, string>)).toBe(true);
  });

  it('a row says nothing about components that it does not name', () => {
    const open = product({ compatibility: [{ STM32: '1.0.0' }, { EC600N: 'R01' }] });
    expect(worksTogether(open, { STM32: '1.0.0', EC600N: 'R99' })).toBe(true);
    expect(relatedComponents(open, 'STM32')).toEqual([]);
    expect(relatedComponents(matrix, 'STM32')).toEqual(['EC600N']);
  });
});

const plan = makePlan('full', {
  productId: 'SENSOR-1',
  components: [
    {
      componentId: 'STM32',
      componentType: 'mcu',
      targetVersion: '2.0.0',
      fullPackageId: 'full',
      deltas: [],
    },
  ],
});
const device = (id: string, modem: string | null, batch = 'a') =>
  makeDevice(id, {
    productId: 'SENSOR-1',
    batch,
    versions: { STM32: '1.0.0', ...(modem === null ? {} : { EC600N: modem }) },
  });
const devices = [
  device('d1', 'R05'),
  device('d2', 'R06'),
  device('d3', 'R05'),
  device('d4', null),
  device('d5', 'R03', 'left out'),
];
const batchA = { ...plan, batches: ['a'] };
const policy = { chinaTelecomIccidPrefixes: [] };

test('what a plan delivers meets what its devices run, and no other device', () => {
  const after = combinationsAfter(batchA, devices, decideScope(batchA, devices, policy));
  expect(after).toEqual([
    { versions: { STM32: '2.0.0', EC600N: 'R05' }, devices: 2 },
    { versions: { STM32: '2.0.0', EC600N: 'R06' }, devices: 1 },
    { versions: { STM32: '2.0.0' }, devices: 1 },
  ]);
  expect(incompatible(matrix, after)).toEqual(['EC600N R05 with STM32 2.0.0 (2 devices)']);
});

test('the gate is closed by such devices, open without them, and absent without a matrix', () => {
  const gateOf = (described: typeof matrix, batches: string[]) => {
    const chosen = { ...plan, batches };
    const decisions = decideScope(chosen, devices, policy);
    return computeGates({
      product: described,
      packages: [fullPackage()],
      releasePackages: [fullPackage()],
      benchRuns: [],
      at: '2026-01-03T00:00:00.000Z',
      waivers: [],
      scope: { full: 1, delta: 0, skipped: [] },
      unknownIds: [],
      combinations: combinationsAfter(chosen, devices, decisions),
    }).find(({ id }) => id === 'compatibility');
  };
  expect(gateOf(matrix, ['a'])).toMatchObject({
    passed: false,
    why: 'No row of the matrix holds EC600N R05 with STM32 2.0.0 (2 devices).',
  });
  const fine = product({ compatibility: [{ STM32: '*', EC600N: '*' }] });
  expect(gateOf(fine, ['a'])).toMatchObject({
    passed: true,
    why: '3 combinations of versions, each in a row of the matrix.',
  });
  expect(gateOf(product(), ['a'])).toBeUndefined();
});
