import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyEvidence } from '../../electron/core/evidence/verify-evidence.ts';
import type { Evidence } from '../../shared/domain/evidence.ts';
import { canonicalJson } from '../../shared/domain/canonical-json.ts';
import { applyWaivers, type Waiver } from '../../shared/domain/waiver.ts';
import { makePlan } from '../support/cloud.ts';
import { boardRun } from '../support/bench-records.ts';
import { findingOf, waiverOf } from '../support/findings.ts';
import { benchRun, deltaPackage, fullPackage, hash, sensorProduct } from '../support/records.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-evidence-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recordingText = '{"atMs":0,"dir":"in","hex":"1f"}\n';
const published = '2026-01-05T00:00:00.000Z';

/** Everything that a record can hold: packages, a proven delta, a bench run, a plan, its devices. */
function content() {
  const recordingSha256 = sha256(recordingText);
  return {
    schema: 'slipway.evidence/1',
    exportedAt: '2026-01-09T00:00:00.000Z',
    release: {
      id: 'r-1.1.0',
      productId: 'SENSOR-1',
      version: '1.1.0',
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    packages: [fullPackage(), deltaPackage(hash('a'))],
    benchRuns: [{ ...benchRun(hash('a'), true), recordingSha256, recordingText }],
    rollouts: [
      {
        plan: makePlan('full', {
          id: 'plan',
          productId: 'SENSOR-1',
          releaseId: 'r-1.1.0',
          state: 'ended',
          publishedAt: published,
          components: [
            {
              componentId: 'STM32',
              componentType: 'mcu',
              targetVersion: '1.1.0',
              fullPackageId: 'full',
              deltas: [{ sourceVersion: '1.0.0', packageId: 'delta' }],
            },
          ],
        }),
        product: sensorProduct(1),
        gates: [{ id: 'findings', title: 'No open blocking finding', passed: true, why: 'ok' }],
        status: {
          planId: 'plan',
          state: 'ended',
          counts: { notUpgraded: 0, upgrading: 0, upgraded: 1, failed: 1, noUpdateRequired: 0 },
          successRate: 0.5,
          failureReasons: [{ code: 'power', count: 1 }],
          skipped: [],
        },
        devices: [rolloutDevice('dev-1', 'upgraded'), rolloutDevice('dev-2', 'failed')],
      },
    ],
    signatures: { state: 'unsigned', entries: [] },
  };
}

const rolloutDevice = (deviceId: string, state: 'upgraded' | 'failed') => ({
  deviceId,
  transport: 'http',
  state,
  attempts: 1,
  error: state === 'failed' ? 'power' : null,
  updatedAt: '2026-01-06T00:00:00.000Z',
  components: [
    {
      componentId: 'STM32',
      state: state === 'failed' ? 'upgradeFailed' : 'upgradeSucceeded',
      fromVersion: '1.0.0',
      toVersion: '1.1.0',
      packageType: 'delta',
      progress: 1,
    },
  ],
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The file, with a digest that fits whatever is in it. */
function record(body: object = content()): Buffer {
  return Buffer.from(canonicalJson({ ...body, digest: sha256(canonicalJson(body)) }));
}

test('an untouched record passes and says that it is unsigned', async () => {
  const path = join(folder, 'good.json');
  await writeFile(path, record());
  const report = await verifyEvidence(path);
  expect(report.verdict).toBe('pass');
  expect(report.checks.find((check) => check.id === 'signatures')?.why).toMatch(/Unsigned/);
});

test('any edited byte is found', async () => {
  const good = record();
  const path = join(folder, 'edited.json');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (offset, flip) => {
        const edited = Buffer.from(good);
        edited[offset] = (edited[offset] ?? 0) ^ flip;
        await writeFile(path, edited);
        expect((await verifyEvidence(path)).verdict).toBe('block');
      },
    ),
    { numRuns: 300 },
  );
});

/** The record with a blocking finding that was waived before the plan was published. */
function waivedContent() {
  const waiver = waiverOf('secret.private-key');
  const full = fullPackage({ author: 'Ann Lee' });
  const [file] = full.report.files;
  const findings = [findingOf('secret.private-key')];
  const report = applyWaivers({ verdict: 'block', files: [{ ...file!, findings }] }, [waiver]);
  const body = content();
  return { ...body, packages: [{ ...full, report }, body.packages[1]], waivers: [waiver] };
}

test('a waiver in force when the plan was published passes, also once it was taken back', async () => {
  const path = join(folder, 'waived.json');
  await writeFile(path, record(waivedContent()));
  const report = await verifyEvidence(path);
  expect(report.checks.filter((check) => !check.passed)).toEqual([]);
  expect(report.checks.find(({ id }) => id === 'waivers')?.why).toMatch(/^1 waived finding/);

  const later = waivedContent();
  later.waivers[0]!.removed = { at: '2026-01-06T00:00:00.000Z', name: 'Bea', reason: 'a mistake' };
  const { waived: _taken, ...open } = later.packages[0]!.report.files[0]!.findings[0]!;
  later.packages[0]!.report.files[0]!.findings = [open];
  later.packages[0]!.report.verdict = 'block';
  await writeFile(path, record(later));
  expect((await verifyEvidence(path)).checks.filter((check) => !check.passed)).toEqual([]);
});

type Waived = Omit<Evidence, 'digest' | 'waivers'> & { waivers: Waiver[] };
const waiverEdits: [string, string, (body: Waived) => unknown][] = [
  ['waivers', 'a waiver that was taken out', (e) => e.waivers.pop()],
  ['waivers', 'a waiver for other bytes', (e) => (e.waivers[0]!.sha256 = hash('f'))],
  ['waivers', 'another reason', (e) => (e.waivers[0]!.reason = 'because I say so')],
  ['waivers', 'a waiver of another version', (e) => (e.waivers[0]!.version = '1.0.0')],
  [
    'waivers',
    'a mark at what must hold',
    (e) => (e.packages[0]!.report.files[0]!.findings[0]!.waivable = false),
  ],
  [
    'waivers',
    'a verdict that its findings do not give',
    (e) => (e.packages[0]!.report.verdict = 'warn'),
  ],
  ['gate-records', 'a waiver by the author', (e) => (e.packages[0]!.author = 'bea smith')],
  ['gate-records', 'no author', (e) => delete e.packages[0]!.author],
  [
    'gate-records',
    'a waiver that was given after the publication',
    (e) => {
      const at = '2026-01-06T00:00:00.000Z';
      e.waivers[0]!.at = at;
      e.packages[0]!.report.files[0]!.findings[0]!.waived!.at = at;
    },
  ],
  [
    'gate-records',
    'a waiver that was taken back before the publication',
    (e) =>
      (e.waivers[0]!.removed = {
        at: '2026-01-04T00:00:00.000Z',
        name: 'Bea',
        reason: 'a mistake',
      }),
  ],
];
test.each(waiverEdits)('%s finds %s', async (id, _what, edit) => {
  const path = join(folder, 'forged-waiver.json');
  const body = waivedContent() as unknown as Waived;
  edit(body);
  await writeFile(path, record(body));
  const report = await verifyEvidence(path);
  expect(report.checks.filter((check) => !check.passed).map((check) => check.id)).toContain(id);
});

type Edit = (body: Omit<Evidence, 'digest'>) => unknown;
const edits: [string, string, Edit][] = [
  [
    'delta-proofs',
    'a proof of another target',
    (e) => (e.packages[1]!.deltaProof!.targetSha256 = hash('f')),
  ],
  [
    'delta-proofs',
    'a proof of another patch',
    (e) => (e.packages[1]!.deltaProof!.patchSha256 = hash('f')),
  ],
  [
    'delta-proofs',
    'a proof whose target is the patch',
    (e) => (e.packages[1]!.deltaProof!.targetSha256 = hash('c')),
  ],
  ['gate-records', 'a delta without its proof', (e) => (e.packages[1]!.deltaProof = null)],
  [
    'gate-records',
    'a blocking finding',
    (e) =>
      e.packages[0]!.report.files[0]!.findings.push({
        rule: 'empty',
        verdict: 'block',
        title: '',
        detail: '',
        fix: '',
        waivable: false,
        evidence: {},
      }),
  ],
  ['gate-records', 'no bench run though one was required', (e) => e.benchRuns.pop()],
  ['gate-records', 'a bench run that failed', (e) => (e.benchRuns[0]!.passed = false)],
  [
    'gate-records',
    'a bench run after the publication',
    (e) => (e.benchRuns[0]!.startedAt = '2026-01-07T00:00:00.000Z'),
  ],
  [
    'bench-images',
    'a bench run of another image',
    (e) => (e.benchRuns[0]!.imageSha256 = hash('f')),
  ],
  ['recordings', 'another recording', (e) => (e.benchRuns[0]!.recordingText += ' ')],
  ['plan-packages', 'a package that was taken out', (e) => e.packages.pop()],
  ['plan-packages', 'a package of another release', (e) => (e.packages[1]!.releaseId = 'other')],
  ['plan-packages', 'a plan of another release', (e) => (e.rollouts[0]!.plan.releaseId = 'other')],
  ['gates', 'a closed gate', (e) => (e.rollouts[0]!.gates[0]!.passed = false)],
  ['rollout-counts', 'a device that was taken out', (e) => e.rollouts[0]!.devices.pop()],
  [
    'rollout-counts',
    'a failure told as a success',
    (e) => (e.rollouts[0]!.devices[1]!.state = 'upgraded'),
  ],
];
test.each(edits)('%s finds %s, even with a digest that fits', async (id, _what, edit) => {
  const path = join(folder, 'forged.json');
  const body = content() as unknown as Omit<Evidence, 'digest'>;
  edit(body);
  await writeFile(path, record(body));
  const report = await verifyEvidence(path);
  expect(report.verdict).toBe('block');
  expect(report.checks.filter((check) => !check.passed).map((check) => check.id)).toContain(id);
  expect(report.checks.find((check) => check.id === 'digest')?.passed).toBe(true);
});

/** The record of a product that asks for two boards of revision A within 7 days of the publication. */
function benched(edit: (runs: Evidence['benchRuns']) => unknown): Buffer {
  const body = content() as unknown as Omit<Evidence, 'digest'>;
  const [run] = body.benchRuns;
  const { recordingText: text, recordingSha256 } = run!;
  const boards = ['A1', 'A2'].map((id) => ({
    ...boardRun(id, 'A', { startedAt: '2026-01-04T00:00:00.000Z', recordingSha256 }),
    recordingText: text,
  }));
  edit(boards);
  const product = sensorProduct(0);
  const bench = { boards: 2, hardwareRevisions: ['A'], withinDays: 7 };
  const [rollout] = body.rollouts;
  return record({
    ...body,
    benchRuns: boards,
    rollouts: [{ ...rollout, product: { ...product, policy: { ...product.policy, bench } } }],
  });
}

test.each<[string, 'pass' | 'block', (runs: Evidence['benchRuns']) => unknown]>([
  ['as it was', 'pass', () => undefined],
  ['with one board told as two', 'block', (runs) => (runs[1]!.board!.id = 'A1')],
  ['of another revision', 'block', (runs) => (runs[1]!.hardwareRevision = 'B')],
  ['too long before', 'block', (runs) => (runs[1]!.startedAt = '2025-12-20T00:00:00.000Z')],
  ['on a virtual board', 'block', (runs) => (runs[1]!.virtual = true)],
])(
  'the bench policy is counted again from the record, at its publication: %s',
  async (_name, verdict, edit) => {
    const path = join(folder, 'benched.json');
    await writeFile(path, benched(edit));
    const report = await verifyEvidence(path);
    expect(report.verdict).toBe(verdict);
    const failed = report.checks.filter(({ passed }) => !passed).map(({ id }) => id);
    expect(failed).toEqual(verdict === 'pass' ? [] : ['gate-records']);
  },
);

test('canonical JSON does not depend on key order', () => {
  expect(canonicalJson({ b: 1, a: [{ d: 1, c: 2 }] })).toBe(
    canonicalJson({ a: [{ c: 2, d: 1 }], b: 1 }),
  );
});
