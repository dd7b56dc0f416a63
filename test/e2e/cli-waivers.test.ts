import { spawn, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { entryPath } from '../../electron/worker/run-task.ts';
import type { InspectReport } from '../../shared/domain/finding.ts';
import type { Waiver } from '../../shared/domain/waiver.ts';
import { bundleRules } from '../../shared/messages/bundle-rules.ts';
import { slipway } from '../support/command.ts';

let folder: string;
let image: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-waivers-'));
  await cp('resources/sample', folder, { recursive: true });
  image = join(folder, 'radio.mini_1');
  await writeFile(image, '\x01\x02 version 2.0.0 \x00http://root:hunter22@10.0.0.1/update\x00');
  const config = join(folder, 'slipway.yaml');
  const text = await readFile(config, 'utf8');
  const policy = 'benchRunsRequired: 1\n      findings: { secret.url-credentials: block }';
  await writeFile(config, text.replace('benchRunsRequired: 1', policy));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (...args: string[]) => slipway(['--workspace', folder, ...args]);
const target = ['--product', 'SENSOR-1', '--version', '2.0.0'];
const rule = ['--rule', 'secret.url-credentials'];
const waiveArgs = (name: string, reason = 'the address is of the test bench') => [
  'bundle',
  'waive',
  image,
  ...rule,
  ...target,
  '--reason',
  reason,
  '--name',
  name,
];
const waive = (name: string, reason?: string) => run(...waiveArgs(name, reason));

test('from a block over a waiver to a package, and back', async () => {
  const blocked = await run('bundle', 'inspect', image, ...target);
  expect(blocked.exitCode).toBe(1);
  const { files } = JSON.parse(blocked.stdout) as InspectReport;
  expect(
    files[0]?.findings.find((finding) => finding.rule === 'secret.url-credentials'),
  ).toMatchObject({
    verdict: 'block',
    policy: { own: 'warn', set: 'block', pattern: 'secret.url-credentials' },
  });

  expect((await run('settings', 'person', 'Ann Lee')).exitCode).toBe(0);
  const create = ['bundle', 'create', image, ...target, '--component', 'STM32'];
  expect(await run(...create)).toMatchObject({ exitCode: 1, problem: { code: 'bundle-blocked' } });
  expect((await waive('ann lee')).exitCode).toBe(0);
  expect(await run(...create)).toMatchObject({
    exitCode: 1,
    problem: { code: 'waiver-by-author' },
  });
  const given = await waive('Bea Smith');
  const { id } = JSON.parse(given.stdout) as Waiver;
  expect((await run('bundle', 'inspect', image, ...target)).exitCode).toBe(0);
  expect(JSON.parse((await run(...create)).stdout)).toMatchObject({ author: 'Ann Lee' });

  const taken = await run(
    'bundle',
    'unwaive',
    id,
    '--name',
    'Bea Smith',
    '--reason',
    'I was wrong',
  );
  expect(taken.exitCode).toBe(0);
  const listed = await run('bundle', 'waivers', '--product', 'SENSOR-1');
  expect((JSON.parse(listed.stdout) as { state: string }[]).map(({ state }) => state)).toEqual([
    'active',
    'removed',
  ]);
});

test.each<[string, () => Promise<{ exitCode: number | null; problem: unknown }>, number, string]>([
  ['a reason that says nothing', () => waive('Bea Smith', 'ok'), 2, 'bad-request'],
  [
    'a rule that found nothing',
    () =>
      run(
        'bundle',
        'waive',
        image,
        '--rule',
        'file.empty',
        ...target,
        '--reason',
        'because of it',
        '--name',
        'Bea',
      ),
    2,
    'finding-missing',
  ],
  [
    'a finding of what is in order',
    () =>
      run(
        'bundle',
        'waive',
        image,
        '--rule',
        'file.hash',
        ...target,
        '--reason',
        'because of it',
        '--name',
        'Bea',
      ),
    1,
    'rule-not-waivable',
  ],
  [
    'a waiver that does not exist',
    () => run('bundle', 'unwaive', 'none', '--reason', 'because of it', '--name', 'Bea'),
    2,
    'unknown-id',
  ],
  [
    'a format that does not exist',
    () => run('bundle', 'formats', 'test', 'none', image),
    2,
    'unknown-id',
  ],
])('%s is refused', async (_what, command, exitCode, code) => {
  expect(await command()).toMatchObject({ exitCode, problem: { code } });
});

test('every rule is listed with its layer and what the policy makes of it', async () => {
  const listed = await run('bundle', 'rules', '--product', 'SENSOR-1');
  const rules = JSON.parse(listed.stdout) as { rule: string }[];
  expect(rules.map(({ rule: id }) => id).sort()).toEqual(Object.keys(bundleRules).sort());
  expect(rules.find(({ rule: id }) => id === 'secret.url-credentials')).toEqual({
    rule: 'secret.url-credentials',
    layer: 'hygiene',
    title: bundleRules['secret.url-credentials'].title,
    waivable: true,
    own: 'warn',
    verdict: 'block',
    pattern: 'secret.url-credentials',
  });
  expect((await run('bundle', 'rules', '--product', 'NONE')).exitCode).toBe(2);
});

/** Runs a command as a user that has no name; where the system lets nobody do that, Node is made to see none. */
function asNobody(): string[] {
  const unshare = ['--user', '--map-user=54321'];
  if (spawnSync('unshare', [...unshare, 'true']).status === 0) return ['unshare', ...unshare];
  const script =
    "import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';" +
    "os.userInfo = () => { throw Object.assign(new Error('no user'), { code: 'ERR_SYSTEM_ERROR' }); }; syncBuiltinESMExports();";
  return ['env', `NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(script)}`];
}

test('a user without a name, as in a container, must say who makes a package', async () => {
  const nameless = asNobody();
  const sample = join(folder, 'firmware/sensor-1.1.0.bin');
  const create = ['bundle', 'create', sample, '--component', 'STM32', '--version', '1.1.0'];
  const args = ['--workspace', folder, ...create, '--product', 'SENSOR-1'];
  const refused = await slipway(args, nameless);
  expect(refused).toMatchObject({ exitCode: 2, problem: { code: 'person-unknown' } });
  const made = await slipway([...args, '--author', 'Ann Lee'], nameless);
  expect(JSON.parse(made.stdout)).toMatchObject({ author: 'Ann Lee' });
});

test('an option that is missing is wrong usage', async () => {
  expect((await run('bundle', 'waive', image, ...rule, ...target)).exitCode).toBe(2);
});

test('a described format is listed and tested: 0 when the file fits, 1 when not', async () => {
  const config = join(folder, 'slipway.yaml');
  const format = 'formats:\n  - { name: radio, extensions: [.rdo], magic: { text: RDIO } }\n';
  await writeFile(config, (await readFile(config, 'utf8')) + format);
  expect(JSON.parse((await run('bundle', 'formats', 'list')).stdout)).toMatchObject([
    { name: 'radio' },
  ]);
  const file = join(folder, 'a.rdo');
  await writeFile(file, 'RDIO and more');
  expect((await run('bundle', 'formats', 'test', 'radio', file)).exitCode).toBe(0);
  expect((await run('bundle', 'formats', 'test', 'radio', image)).exitCode).toBe(1);
});

test('a kill at any moment leaves each waiver whole or not there', async () => {
  const startedMs = performance.now();
  expect((await waive('Bea 0')).exitCode).toBe(0);
  const wholeMs = performance.now() - startedMs;
  const told = new Set(['Bea 0']);
  for (let round = 1; round <= 8; round++) {
    const name = `Bea ${round}`;
    const args = [entryPath('cli'), '--json', '--workspace', folder, ...waiveArgs(name)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => told.add(name));
    const ended = new Promise((done) => child.once('close', done));
    await Promise.race([sleep((wholeMs * (round + 4)) / 12), ended]);
    child.kill('SIGKILL');
    await ended;
  }
  const workspace = await Workspace.open(folder);
  const names = workspace.list('waiver').map(({ name }) => name);
  workspace.close();
  expect(names).toEqual(expect.arrayContaining([...told]));
  expect(new Set(names).size).toBe(names.length);
});
