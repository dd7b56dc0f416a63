import { createHash, generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { verifyEvidence } from '../../electron/core/evidence/verify-evidence.ts';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import type { Evidence } from '../../shared/domain/evidence.ts';
import type { ProblemError } from '../../shared/domain/problem.ts';
import { planComponents } from '../../shared/domain/plan-draft.ts';
import { fullPackage } from '../support/records.ts';

let folder: string;
let studio: Studio;
let image: string;
let sha256: string;

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const version = '2.0.0';
const productId = 'SENSOR-1';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-waivers-'));
  await cp('resources/sample', folder, { recursive: true });
  image = join(folder, 'keyed.pack');
  await writeImage('first');
  studio = await createStudio({ workspacePath: folder });
  await studio.ask('settings.set', { person: 'Ann Lee' });
});
afterEach(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

/** A vendor's opaque file with a private key and its version inside. */
async function writeImage(salt: string): Promise<void> {
  const bytes = Buffer.from(`\x01\x02\x03${salt}\0version ${version}\0${privateKey}`);
  await writeFile(image, bytes);
  sha256 = createHash('sha256').update(bytes).digest('hex');
}

const waive = (changes: Partial<{ rule: string; name: string; sha256: string }> = {}) =>
  studio.ask('waivers.add', {
    productId,
    version,
    sha256,
    fileName: 'keyed.pack',
    rule: 'secret.private-key',
    reason: 'it is the key of the test bench only',
    name: 'Bea Smith',
    ...changes,
  });
const inspect = () => studio.ask('bundle.inspect', { files: [image], productId, version });
const create = (author?: string) =>
  studio.ask('bundle.create', {
    productId,
    version,
    componentId: 'STM32',
    files: [image],
    ...(author ? { author } : {}),
  });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as ProblemError).problem.code,
  );

test('a waiver lets exactly these bytes pass, and says so at the finding', async () => {
  expect((await inspect()).verdict).toBe('block');
  expect(await codeOf(create())).toBe('bundle-blocked');
  await waive();
  const report = await inspect();
  expect(report.verdict).toBe('could-not-check');
  const found = report.files[0]?.findings.find(({ rule }) => rule === 'secret.private-key');
  expect(found).toMatchObject({ verdict: 'block', waived: { name: 'Bea Smith' } });
  const pkg = await create();
  expect(pkg).toMatchObject({ author: 'Ann Lee', report: { verdict: 'could-not-check' } });

  await writeImage('second');
  const changed = await inspect();
  expect(changed.verdict).toBe('block');
  expect(
    changed.files[0]?.findings.find(({ rule }) => rule === 'secret.private-key')?.voidWaiver,
  ).toMatchObject({ name: 'Bea Smith', sha256: pkg.files[0]?.sha256 });
});

test('what could not be checked may be acknowledged and is still no pass', async () => {
  await waive();
  await waive({ rule: 'file.opaque' });
  const { verdict, files } = await inspect();
  expect(verdict).toBe('could-not-check');
  expect(files[0]?.findings.find(({ rule }) => rule === 'file.opaque')).toMatchObject({
    verdict: 'could-not-check',
    waived: { name: 'Bea Smith' },
  });
});

test('the author cannot waive a block; the author is who the package is recorded with', async () => {
  await waive({ name: 'ann lee' });
  expect(await codeOf(create())).toBe('waiver-by-author');
  await waive();
  expect(await codeOf(create('Bea Smith'))).toBe('done');
});

test('a waiver is refused for what must hold, for a second time and for an unknown product', async () => {
  expect(await codeOf(waive({ rule: 'file.empty' }))).toBe('rule-not-waivable');
  expect(await codeOf(waive({ rule: 'no.such' }))).toBe('rule-not-waivable');
  await waive();
  expect(await codeOf(waive({ name: 'BEA SMITH' }))).toBe('waiver-exists');
  expect(await codeOf(waive({ name: 'Cid Brown' }))).toBe('done');
  const other = studio.ask('waivers.add', {
    ...(await studio.ask('waivers.list', {}))[0]!,
    productId: 'OTHER',
  });
  expect(await codeOf(other)).toBe('unknown-id');
});

test('a waiver that is taken back stays in the list with who did it and why', async () => {
  const { id: waiverId } = await waive();
  const reason = 'the key is in use after all';
  await studio.ask('waivers.remove', { waiverId, name: 'Cid Brown', reason });
  expect((await inspect()).verdict).toBe('block');
  const listed = await studio.ask('waivers.list', { productId, version });
  expect(listed).toMatchObject([{ state: 'removed', removed: { name: 'Cid Brown', reason } }]);
  const again = studio.ask('waivers.remove', { waiverId, name: 'Cid Brown', reason });
  expect(await codeOf(again)).toBe('waiver-removed');
  expect((await studio.ask('log.tail', {})).map(({ message }) => message)).toContainEqual(
    'Cid Brown took back a waiver of secret.private-key',
  );
});

test('a package that is made again is judged as of now, not as it was when it was made', async () => {
  await waive();
  const own = await waive({ rule: 'file.opaque' });
  const first = await create();
  const reason = 'the vendor has described it since';
  await studio.ask('waivers.remove', { waiverId: own.id, name: 'Bea Smith', reason });
  const again = await create();
  const opaque = ({ report }: typeof first) =>
    report.files[0]?.findings.find(({ rule }) => rule === 'file.opaque');
  expect(again.id).toBe(first.id);
  expect(opaque(first)).toHaveProperty('waived');
  expect(opaque(again)).not.toHaveProperty('waived');
});

test('the list tells which waivers are void: the version was recorded with other bytes', async () => {
  await waive();
  await writeImage('second');
  await waive();
  await create();
  const states = (await studio.ask('waivers.list', { version })).map(({ state }) => state);
  expect(states).toEqual(['void', 'active']);
});

test('a waiver that is taken back blocks the recorded package at the gate; one under a rollout stays', async () => {
  const { id: waiverId } = await waive();
  const pkg = await create();
  const take = () =>
    studio.ask('waivers.remove', { waiverId, name: 'Bea Smith', reason: 'I was mistaken' });
  await studio.close();

  const workspace = await Workspace.open(folder);
  const release = workspace.release(pkg.releaseId);
  const plan = {
    id: 'plan',
    name: 'To everyone',
    productId,
    releaseId: release.id,
    mode: 'silent' as const,
    components: planComponents(release.id, [pkg]),
    batches: [],
    whitelist: [],
    blacklist: [],
    retries: 5,
    createdAt: new Date().toISOString(),
  };
  workspace.put('plan', release.id, {
    ...plan,
    state: 'suspended',
    publishedAt: new Date().toISOString(),
  });
  studio = await createStudio({ workspacePath: folder });
  expect(await codeOf(take())).toBe('waiver-in-use');

  // The studio stopped after the gates had said yes and before it noted that the plan is out.
  const product = workspace.product(productId);
  const scope = { full: 1, delta: 0, skipped: [] };
  workspace.put('plan', release.id, { ...plan, state: 'saved', publishedAt: null });
  workspace.put('planCheck', release.id, { id: 'plan', product, gates: [], scope });
  expect(await codeOf(take())).toBe('waiver-in-use');

  workspace.put('plan', release.id, {
    ...plan,
    state: 'terminated',
    publishedAt: new Date().toISOString(),
  });
  workspace.close();
  expect(await codeOf(take())).toBe('done');
  const [judged] = await studio.ask('packages.list', { releaseId: release.id });
  expect(judged?.report.verdict).toBe('block');
  expect((await studio.ask('releases.list', {}))[0]).toMatchObject({ verdict: 'block' });
});

test('evidence carries the waivers, and says when one of them was edited', async () => {
  await waive();
  const pkg = await create();
  const out = join(folder, 'evidence.json');
  await studio.ask('evidence.export', { releaseId: pkg.releaseId, out });
  const report = await verifyEvidence(out);
  expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  const record = JSON.parse(await readFile(out, 'utf8')) as Evidence;
  expect(record.waivers).toMatchObject([{ name: 'Bea Smith', sha256 }]);
  expect(record.packages[0]?.author).toBe('Ann Lee');
});

test('packages that were recorded before there were names and waivers are still read', async () => {
  const release = await studio.ask('releases.create', { productId, version: '1.1.0' });
  const workspace = await Workspace.open(folder);
  workspace.put('package', release.id, fullPackage({ releaseId: release.id }));
  workspace.close();
  const [pkg] = await studio.ask('packages.list', { releaseId: release.id });
  expect(pkg).toEqual(fullPackage({ releaseId: release.id }));
  const out = join(folder, 'old.json');
  await studio.ask('evidence.export', { releaseId: release.id, out });
  expect((await verifyEvidence(out)).verdict).toBe('pass');
});

test('without a setting, the system’s user makes the packages', async () => {
  const other = await mkdtemp(join(tmpdir(), 'slipway-person-'));
  await cp('resources/sample', other, { recursive: true });
  const fresh = await createStudio({ workspacePath: other });
  const { person } = await fresh.ask('settings.get', {});
  expect(person).not.toBe('');
  await fresh.ask('settings.set', { person: '  Dee  ' });
  expect((await fresh.ask('settings.get', {})).person).toBe('Dee');
  await fresh.close();
  await rm(other, { recursive: true, force: true });
});

test('the policy of the product decides at inspection and over recorded packages', async () => {
  await studio.close();
  const config = join(folder, 'slipway.yaml');
  const text = await readFile(config, 'utf8');
  const policy = 'benchRunsRequired: 1\n      findings: { secret.private-key: allow }';
  await writeFile(config, text.replace('benchRunsRequired: 1', policy));
  studio = await createStudio({ workspacePath: folder });
  const pkg = await create();
  expect(
    pkg.report.files[0]?.findings.find(({ rule }) => rule === 'secret.private-key'),
  ).toMatchObject({ verdict: 'pass', policy: { own: 'block', set: 'allow' } });

  await studio.close();
  await writeFile(config, text);
  studio = await createStudio({ workspacePath: folder });
  const [judged] = await studio.ask('packages.list', {});
  expect(judged?.report.verdict).toBe('block');
});
