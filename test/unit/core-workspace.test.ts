import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRelease, summarizeReleases } from '../../electron/core/releases/release-service.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { ProblemError, toProblem } from '../../shared/domain/problem.ts';

let folder: string;
const context = { signal: new AbortController().signal, onProgress: () => undefined };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-workspace-'));
  await cp('resources/sample/slipway.yaml', join(folder, 'slipway.yaml'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('two processes use one workspace at the same time', async () => {
  const first = await Workspace.open(folder);
  const second = await Workspace.open(folder);
  createRelease(first, 'SENSOR-1', '1.0.0');
  createRelease(second, 'SENSOR-1', '1.1.0');
  expect(
    summarizeReleases(first)
      .map((release) => release.version)
      .sort(),
  ).toEqual(['1.0.0', '1.1.0']);
  first.close();
  second.close();
});

test('a version is used once per product', async () => {
  const workspace = await Workspace.open(folder);
  createRelease(workspace, 'SENSOR-1', '1.0.0');
  expect(() => createRelease(workspace, 'SENSOR-1', '1.0.0')).toThrow(/already has a release/);
  workspace.close();
});

test('a description that is there but cannot be read is not called missing', async () => {
  await rm(join(folder, 'slipway.yaml'));
  await expect(Workspace.open(folder)).rejects.toMatchObject({
    problem: { code: 'not-a-workspace' },
  });
  await mkdir(join(folder, 'slipway.yaml'));
  const failure = await Workspace.open(folder).catch((error: unknown) => error);
  expect(toProblem(failure).code).toBe('file-is-folder');
});

test('an invalid description names the file and the field', async () => {
  await writeFile(join(folder, 'slipway.yaml'), 'version: 1\nname: X\nproducts: [{ id: "a b" }]\n');
  const failure = await Workspace.open(folder).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ProblemError);
  expect((failure as ProblemError).problem).toMatchObject({ code: 'config-invalid' });
  expect((failure as ProblemError).message).toMatch(/products\[0\]\.id/);
});

test('settings keep the comments of slipway.yaml', async () => {
  const workspace = await Workspace.open(folder);
  await workspace.updateConfig({ fileTypes: ['.rbl'] });
  const text = await readFile(join(folder, 'slipway.yaml'), 'utf8');
  expect(text).toContain('# More file types');
  expect((await Workspace.open(folder)).config.fileTypes).toEqual(['.rbl']);
  await expect(workspace.updateConfig({ chinaTelecomIccidPrefixes: ['898600'] })).rejects.toThrow(
    /898600|regex|pattern/i,
  );
  workspace.close();
});

test('an object is stored under its SHA-256, and a cancelled copy leaves nothing', async () => {
  const workspace = await Workspace.open(folder);
  const source = join(folder, 'image.bin');
  await writeFile(source, Buffer.alloc(3 << 20, 'slipway'));
  const { sha256 } = await workspace.objects.add(source, context);
  expect((await readFile(workspace.objects.path(sha256))).equals(await readFile(source))).toBe(
    true,
  );
  const stop = new AbortController();
  const cancelled = workspace.objects.add(source, {
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  await expect(cancelled).rejects.toThrow();
  expect(
    (await readdir(workspace.internal('objects'))).filter((name) => name.endsWith('.tmp')),
  ).toEqual([]);
  workspace.close();
});
