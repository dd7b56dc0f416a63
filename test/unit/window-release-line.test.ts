import { expect, test } from 'vitest';
import {
  deltaSources,
  type LineFacts,
  nextStep,
  releaseLine,
} from '../../renderer/stores/release-line.ts';
import type { ReleaseSummary } from '../../shared/contract/contract.ts';
import type { Product, VersionPackage } from '../../shared/domain/product.ts';

const product: Product = {
  id: 'P',
  name: 'P',
  components: [{ id: 'MCU', name: 'MCU', type: 'mcu' }],
  policy: { benchRunsRequired: 1 },
};
const draft: ReleaseSummary = {
  id: 'r2',
  productId: 'P',
  version: '2',
  createdAt: '2026-01-02T00:00:00.000Z',
  stage: 'draft',
  packageCount: 0,
  verdict: null,
  deltaCount: 0,
  benchPassed: 0,
  bench: null,
  planCount: 0,
};
const pkg = (change: Partial<VersionPackage>): VersionPackage => ({
  id: 'p2',
  releaseId: 'r2',
  productId: 'P',
  componentId: 'MCU',
  componentType: 'mcu',
  name: 'P MCU 2',
  packageType: 'full',
  sourceVersion: null,
  targetVersion: '2',
  files: [{ name: 'a.bin', role: 'image', sizeBytes: 1, sha256: 'a', format: 'unknown' }],
  sha256: 'b',
  sizeBytes: 2,
  report: { verdict: 'pass', files: [] },
  deltaProof: null,
  createdAt: '2026-01-02T00:00:00.000Z',
  ...change,
});
const older = pkg({ id: 'p1', releaseId: 'r1', targetVersion: '1' });
const validated: ReleaseSummary = {
  ...draft,
  stage: 'validated',
  verdict: 'pass',
  packageCount: 1,
};
const facts = (change: Partial<LineFacts>): LineFacts => ({
  release: draft,
  product,
  packages: [],
  evidenceExported: false,
  ...change,
});
const states = (line: ReturnType<typeof releaseLine>) => line.map((step) => step.state);

test('a draft asks for files, and everything else waits for them', () => {
  const line = releaseLine(facts({ packages: [older] }));
  expect(states(line)).toEqual(['open', 'later', 'later', 'later', 'later']);
  expect(nextStep(line)).toMatchObject({ view: 'bundle', action: 'Add firmware files' });
});

test('a blocked bundle comes before everything, whatever was made since', () => {
  const release = { ...validated, verdict: 'block', benchPassed: 3, planCount: 1 } as const;
  expect(nextStep(releaseLine(facts({ release, packages: [pkg({}), older] })))).toMatchObject({
    view: 'bundle',
    state: 'blocked',
  });
});

test('an earlier version of the same component makes a delta the next step', () => {
  const line = releaseLine(facts({ release: validated, packages: [pkg({}), older] }));
  expect(nextStep(line)).toMatchObject({ view: 'delta', action: 'Make a delta from 1' });
});

test('without an earlier version no delta is asked for, nor after the bench has passed', () => {
  const first = releaseLine(facts({ release: validated, packages: [pkg({})] }));
  expect(first[1]?.state).toBe('not-needed');
  expect(nextStep(first)?.view).toBe('bench');
  const benched = { ...validated, stage: 'benchTested', benchPassed: 1 } as const;
  const line = releaseLine(facts({ release: benched, packages: [pkg({}), older] }));
  expect(nextStep(line)?.view).toBe('rollout');
});

test('the bench counts runs for every MCU image, and module firmware needs none', () => {
  const [file] = pkg({}).files;
  if (!file) throw new Error('no file');
  const two = pkg({ files: [file, { ...file, name: 'b.bin' }] });
  const once = { ...validated, benchPassed: 1 };
  expect(releaseLine(facts({ release: once, packages: [two] }))[2]).toMatchObject({
    state: 'open',
    why: '1 of 2 required bench runs passed.',
  });
  const module = pkg({ componentType: 'module' });
  expect(releaseLine(facts({ release: validated, packages: [module] }))[2]?.state).toBe(
    'not-needed',
  );
});

test('where the policy counts boards, the bench is done when it is met, whatever has passed', () => {
  const bench = { isMet: false, why: 'a.bin: revision A 1 of 3 boards' };
  const step = (change: Partial<ReleaseSummary>) =>
    releaseLine(facts({ release: { ...validated, ...change }, packages: [pkg({})] }))[2];
  expect(step({ benchPassed: 5, bench })).toMatchObject({
    state: 'open',
    why: 'a.bin: revision A 1 of 3 boards.',
  });
  expect(step({ benchPassed: 5, bench: { ...bench, isMet: true } })?.state).toBe('done');
  expect(step({ benchPassed: 0, bench: { ...bench, isMet: true } })?.state).toBe('open');
});

test.each([
  ['rollingOut', 'running', null],
  ['halted', 'blocked', 'rollout'],
  ['done', 'done', 'evidence'],
] as const)('stage %s shows the rollout as %s and leads to %s', (stage, state, view) => {
  const release = { ...validated, stage, benchPassed: 1, planCount: 1 };
  const line = releaseLine(facts({ release, packages: [pkg({})] }));
  expect(line[3]?.state).toBe(state);
  expect(nextStep(line)?.view ?? null).toBe(view);
});

test('a release with its evidence exported has nothing left to do', () => {
  const release = { ...validated, stage: 'done', benchPassed: 1, planCount: 1 } as const;
  expect(
    nextStep(releaseLine(facts({ release, packages: [pkg({})], evidenceExported: true }))),
  ).toBeNull();
});

test('delta sources are full packages of other releases of the product with the same component', () => {
  const packages = [
    pkg({}),
    older,
    pkg({ id: 'd', releaseId: 'r1', packageType: 'delta' }),
    pkg({ id: 'm', releaseId: 'r1', componentId: 'MODULE' }),
    pkg({ id: 'o', releaseId: 'r0', productId: 'OTHER' }),
  ];
  expect(deltaSources(draft, packages).map(({ id }) => id)).toEqual(['p1']);
  expect(deltaSources(draft, packages, 'MODULE').map(({ id }) => id)).toEqual(['m']);
});
