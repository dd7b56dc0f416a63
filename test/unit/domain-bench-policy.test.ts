import { expect, test } from 'vitest';
import type { BenchResultChange } from '../support/bench-records.ts';
import { boardRun } from '../support/bench-records.ts';
import { judgeBench, type NotCounted } from '../../shared/domain/bench-policy.ts';
import type { BenchPolicy } from '../../shared/domain/bench-policy-schema.ts';
import type { BenchRun } from '../../shared/domain/bench.ts';
import { computeRecordGates } from '../../shared/domain/gates.ts';
import { productSchema } from '../../shared/domain/product.ts';
import { deltaPackage, fullPackage, hash, sensorProduct } from '../support/records.ts';

const image = hash('a');
const at = '2026-01-10T00:00:00.000Z';
const policy: BenchPolicy = { boards: 2, hardwareRevisions: ['A', 'B'], withinDays: 7 };

const judge = (runs: readonly BenchRun[], asked: BenchPolicy = policy) =>
  judgeBench({
    policy: asked,
    imageSha256: image,
    releaseId: 'r-1.1.0',
    targetVersion: '1.1.0',
    runs,
    at,
  });
const reasons = (runs: readonly BenchRun[], asked?: BenchPolicy) =>
  judge(runs, asked).runs.map(({ reason }) => reason);

test('asks for distinct boards of each revision', () => {
  const runs = ['A1', 'A2'].map((id) => boardRun(id, 'A'));
  expect(judge(runs)).toMatchObject({
    isMet: false,
    revisions: [
      { revision: 'A', required: 2, isMet: true },
      { revision: 'B', required: 2, isMet: false, counted: [] },
    ],
  });
  expect(judge([...runs, boardRun('B1', 'B'), boardRun('B2', 'B')]).isMet).toBe(true);
});

test('one board counts once, wherever it was plugged in', () => {
  const runs = [boardRun('A1', 'A'), boardRun('A1', 'A', { port: '/dev/ttyUSB7' })];
  expect(reasons(runs)).toEqual([null, 'same-board']);
});

test('a board known by its USB adapter alone is taken for the one seen behind that adapter', () => {
  const usbId = 'usb:0403:6001:A1';
  const known = boardRun('CHIP-1', 'A', { board: { id: 'CHIP-1', source: 'chip', usbId } });
  const unsure = boardRun(usbId, 'A', { board: { id: usbId, source: 'usb', usbId } });
  expect(reasons([known, unsure])).toEqual([null, 'same-board']);
  const moved = boardRun('CHIP-2', 'A', { board: { id: 'CHIP-2', source: 'chip', usbId } });
  expect(reasons([known, moved])).toEqual([null, null]);
});

const broken: readonly (readonly [NotCounted, Partial<BenchRun>, BenchResultChange])[] = [
  ['other-image', { imageSha256: hash('9') }, {}],
  ['later', { startedAt: '2026-01-11T00:00:00.000Z' }, {}],
  ['too-old', { startedAt: '2026-01-02T23:59:59.000Z' }, {}],
  [
    'failed',
    { passed: false, failure: { code: 'port-lost', title: '', detail: '', hint: '', kind: 'io' } },
    {},
  ],
  ['not-verified', { passed: false }, { verified: false }],
  ['not-booted', {}, { booted: null }],
  ['not-booted', {}, { booted: { version: null, matched: false, outcome: 'did-not-boot' } }],
  ['other-version', {}, { booted: { version: '1.0.0', matched: false, outcome: 'booted' } }],
  ['other-version', {}, { booted: { version: '1.0.0', matched: false, outcome: 'other-version' } }],
  ['boot-loop', {}, { booted: { version: '1.1.0', matched: false, outcome: 'boot-loop' } }],
  ['virtual', { virtual: true }, {}],
  ['revision-not-asked', { hardwareRevision: 'C' }, {}],
];

test.each(broken)('a run does not count: %s', (reason, changes, result) => {
  const run = boardRun('A1', 'A', changes, result);
  expect(reasons([run])).toEqual([reason]);
});

test('a run counts up to the last moment of its days', () => {
  expect(reasons([boardRun('A1', 'A', { startedAt: '2026-01-03T00:00:00.000Z' })])).toEqual([null]);
});

test('a run without an expected version counts when it booted the version of the package', () => {
  const booted = { version: '1.1.0', matched: false, outcome: 'booted' } as const;
  expect(reasons([boardRun('A1', 'A', {}, { booted })])).toEqual([null]);
});

test('records of earlier versions have no revision; what they have no board for counts nowhere', () => {
  const {
    board: _board,
    hardwareRevision: _revision,
    virtual: _virtual,
    ...withId
  } = boardRun('A1', 'A');
  const old = { ...withId, result: { ...withId.result, boardId: null } };
  expect(reasons([old])).toEqual(['board-unknown']);
  expect(reasons([withId])).toEqual(['revision-unknown']);
  expect(reasons([withId], { boards: 1 })).toEqual([null]);
  expect(reasons([{ ...withId, port: 'virtual:stm32-1' }], { boards: 1 })).toEqual(['virtual']);
});

test('a board whose revision was corrected counts for the corrected one only', () => {
  const wrong = boardRun('A1', 'A', { startedAt: '2026-01-08T00:00:00.000Z' });
  const right = boardRun('A1', 'B', { startedAt: '2026-01-09T00:00:00.000Z' });
  expect(reasons([wrong, right])).toEqual([null, 'revision-changed']);
  expect(judge([wrong, right]).revisions.map(({ counted }) => counted.length)).toEqual([0, 1]);
});

test('virtual boards count where the policy says so', () => {
  const runs = [boardRun('A1', 'A', { virtual: true })];
  expect(reasons(runs, { boards: 1, virtualBoards: true })).toEqual([null]);
});

function gateOf(asked: BenchPolicy, benchRuns: readonly BenchRun[], onlyDelta = false) {
  const product = sensorProduct(0);
  return computeRecordGates({
    product: { ...product, policy: { ...product.policy, bench: asked } },
    packages: [onlyDelta ? deltaPackage(image) : fullPackage()],
    releasePackages: [fullPackage()],
    benchRuns,
    waivers: [],
    at,
  }).find(({ id }) => id === 'bench');
}

test('the gate counts each revision, and names each run and why it does not count', () => {
  const runs = [
    boardRun('A1', 'A'),
    boardRun('A2', 'A', { startedAt: '2025-12-01T10:00:00.000Z' }),
    boardRun('B1', 'B'),
  ];
  expect(gateOf(policy, runs)).toEqual({
    id: 'bench',
    title: 'Bench policy is met for exactly these hashes',
    passed: false,
    why: 'sensor.bin (aaaaaaaaaaaa…): revision A 1 of 2 boards, revision B 1 of 2 boards.',
    details: [
      'sensor.bin, A1, revision A, 2026-01-09 00:00 UTC: counts',
      'sensor.bin, B1, revision B, 2026-01-09 00:00 UTC: counts',
      'sensor.bin, A2, revision A, 2025-12-01 10:00 UTC: does not count: it is 39 days old, the policy takes 7 days',
    ],
  });
  expect(gateOf({ boards: 2, withinDays: 7 }, runs)).toMatchObject({
    passed: true,
    why: 'sensor.bin (aaaaaaaaaaaa…): 2 of 2 boards.',
  });
});

test('a delta is held against the image that it rebuilds', () => {
  expect(gateOf({ boards: 1 }, [boardRun('A1', 'A')], true)?.passed).toBe(true);
  expect(gateOf({ boards: 1 }, [], true)?.passed).toBe(false);
});

const described = (bench: unknown) =>
  productSchema.safeParse({
    id: 'P',
    name: 'P',
    components: [{ id: 'STM32', name: 'S', type: 'mcu' }],
    policy: { bench },
  }).success;

test('a policy that could be misread is refused, not weakened', () => {
  expect(described({ boards: 3, hardwareRevisions: ['A', 'B'], withinDays: 7 })).toBe(true);
  expect(described({ boards: 3, withinDay: 7 })).toBe(false);
  expect(described({ boards: 0 })).toBe(false);
  expect(described({ boards: 1, hardwareRevisions: [] })).toBe(false);
  expect(described({ boards: 1, hardwareRevisions: ['A', 'A'] })).toBe(false);
  expect(described({ boards: 1, withinDays: 0 })).toBe(false);
});
