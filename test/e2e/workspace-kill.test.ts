import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'vite';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { verifyEvidence } from '../../electron/core/evidence/verify-evidence.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { slipway } from '../support/command.ts';
import { expectWhole } from '../support/whole-workspace.ts';

const script = 'test/artifacts/release-line/release-line.js';
const kills = 20;
let folder: string;

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: 'test/support/release-line.ts',
      outDir: 'test/artifacts/release-line',
      target: 'node20',
      emptyOutDir: true,
    },
  });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-kill-'));
  await cp('resources/sample', folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An image of its own for each version: the same bytes are never released under two. */
function imageOf(version: string): string {
  const sample = readFileSync(join(folder, 'firmware/sensor-1.0.0.bin'));
  const path = join(folder, `firmware/image-${version}.bin`);
  writeFileSync(path, Buffer.concat([sample, Buffer.from(`\0${version}\0`)]));
  return path;
}

/** Makes two packages, the delta between them and evidence of both, in a process of its own. */
function startLine(versions: readonly [string, string]): {
  child: ChildProcess;
  ended: Promise<number | null>;
} {
  const pairs = versions.flatMap((version) => [version, imageOf(version)]);
  const child = spawn(process.execPath, [script, folder, 'SENSOR-1', 'STM32', ...pairs], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { child, ended: new Promise((done) => child.once('exit', done)) };
}

/** Every evidence file, half-written names aside, is a whole one. */
async function expectWholeEvidence(): Promise<void> {
  const names = await readdir(join(folder, 'evidence')).catch(() => []);
  for (const name of names.filter((file) => file.endsWith('.evidence.json')))
    expect((await verifyEvidence(join(folder, 'evidence', name))).verdict).toBe('pass');
}

test('SIGKILL at any moment leaves a workspace that opens whole and goes on', async () => {
  const startedMs = performance.now();
  expect(await startLine(['0.0.1', '0.0.2']).ended).toBe(0);
  const wholeMs = performance.now() - startedMs;
  let cutShort = 0;
  for (let round = 1; round <= kills; round++) {
    const delayMs = Math.random() * wholeMs;
    const { child, ended } = startLine([`${round}.0.0`, `${round}.1.0`]);
    await Promise.race([sleep(delayMs), ended]);
    child.kill('SIGKILL');
    if ((await ended) !== 0) cutShort++;
    await expectWhole(folder, { temporaryFiles: true }).catch((error: unknown) => {
      throw new Error(`killed after ${delayMs} ms`, { cause: error });
    });
    await expectWholeEvidence();
  }
  expect(cutShort).toBeGreaterThan(kills / 4);
  // What was cut short is done again to its end, over whatever is there.
  expect(await startLine([`${kills}.0.0`, `${kills}.1.0`]).ended).toBe(0);
  const packages = await expectWhole(folder, { temporaryFiles: true });
  expect(packages.filter((pkg) => pkg.targetVersion === `${kills}.1.0`)).toHaveLength(2);
});

test('what a killed process left behind is swept, but not what another one is writing', async () => {
  const { child, ended } = startLine(['1.0.0', '1.1.0']);
  child.kill('SIGKILL');
  await ended;
  const objects = join(folder, '.slipway/objects');
  (await Workspace.open(folder)).close();
  const temporary = join(folder, '.slipway/tmp');
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
  for (const place of [objects, temporary]) {
    for (const name of ['old.tmp', 'young.tmp'])
      await cp(join(folder, 'slipway.yaml'), join(place, name));
    await utimes(join(place, 'old.tmp'), twoDaysAgo, twoDaysAgo);
  }
  (await Workspace.open(folder)).close();
  for (const place of [objects, temporary]) {
    const left = (await readdir(place)).filter((name) => name.endsWith('.tmp'));
    expect(left).toEqual(['young.tmp']);
  }
});

test('two processes that write at the same time both get everything in', async () => {
  const create = (version: string) =>
    slipway([
      '--workspace',
      folder,
      'bundle',
      'create',
      imageOf(version),
      '--product',
      'SENSOR-1',
      '--component',
      'STM32',
      '--version',
      version,
    ]);
  const byCommand = async (): Promise<void> => {
    for (let at = 0; at < 4; at++)
      expect(await create(`3.0.${at}`)).toMatchObject({ exitCode: 0, problem: null });
  };
  const byEngine = async (): Promise<void> => {
    for (let at = 0; at < 3; at++)
      expect(await startLine([`1.0.${at}`, `2.0.${at}`]).ended).toBe(0);
  };
  await Promise.all([byCommand(), byEngine()]);
  const packages = await expectWhole(folder);
  expect(packages.filter((pkg) => pkg.packageType === 'full')).toHaveLength(4 + 6);
  expect(packages.filter((pkg) => pkg.packageType === 'delta')).toHaveLength(3);
});
