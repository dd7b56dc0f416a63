import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendSecrets } from '../../electron/core/clouds/device-secrets.ts';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';

let folder: string;
let studio: Studio;
let image: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-core-'));
  await cp('resources/sample', folder, { recursive: true });
  image = join(folder, 'firmware/sensor-1.1.0.bin');
  studio = await createStudio({ workspacePath: folder });
});
afterAll(async () => {
  await studio?.close();
  await rm(folder, { recursive: true, force: true });
});

test('the footprint tells whole pages of the chip before anything is erased', async () => {
  const release = await studio.ask('releases.create', { productId: 'SENSOR-1', version: '1.1.0' });
  const pkg = await studio.ask('bundle.create', {
    releaseId: release.id,
    componentId: 'STM32',
    files: [image],
  });
  expect(await studio.ask('bench.footprint', { packageId: pkg.id })).toEqual({
    writeBytes: 12_440,
    skippedBytes: 0,
    erase: {
      chip: 'STM32F103 medium-density',
      pages: 13,
      pageBytes: 1024,
      from: 0x0800_0000,
      toExclusive: 0x0800_3400,
    },
  });
  const run = await studio.ask('bench.flash', {
    port: (await studio.ask('bench.virtual.start', { kind: 'stm32' })).path,
    protocol: 'stm32',
    packageId: pkg.id,
  });
  expect(run.result.bytesWritten).toBe(12_440);
});

test('blank blocks are told apart, and pages are unknown without a chip', async () => {
  const blank = join(folder, 'blank-middle.bin');
  await writeFile(
    blank,
    Buffer.concat([Buffer.alloc(256, 1), Buffer.alloc(4096, 0xff), Buffer.alloc(10, 2)]),
  );
  expect(await studio.ask('bench.footprint', { file: blank })).toEqual({
    writeBytes: 268,
    skippedBytes: 4096,
    erase: null,
  });
});

test('an image that cannot be flashed is refused by its footprint already', async () => {
  const large = join(folder, 'large.bin');
  await writeFile(large, Buffer.alloc(1024 * 1024 + 4, 1));
  await expect(studio.ask('bench.footprint', { file: large })).rejects.toMatchObject({
    problem: { code: 'image-outside-flash' },
  });
  await expect(studio.ask('bench.footprint', {})).rejects.toMatchObject({
    problem: { code: 'nothing-to-flash' },
  });
});

test('evidence is verified by the path that the list names, and by no other', async () => {
  const [release] = await studio.ask('releases.list', {});
  const { path } = await studio.ask('evidence.export', { releaseId: release?.id ?? '' });
  expect(await studio.ask('evidence.verify', { exported: path })).toMatchObject({
    verdict: 'pass',
  });
  await expect(studio.ask('evidence.verify', { exported: '/etc/passwd' })).rejects.toMatchObject({
    problem: { code: 'unknown-id' },
  });
});

test('secrets of new devices are added to one file that only its owner can read', async () => {
  const workspace = await Workspace.open(folder);
  try {
    expect(await appendSecrets(workspace, { secrets: {}, dtlsKeys: {} })).toBeNull();
    const secrets = { 'dev-1': 'aaa', 'dev-2': 'bbb' };
    const path = await appendSecrets(workspace, { secrets, dtlsKeys: { 'dev-2': '0123' } });
    const more = { secrets: { 'dev-3': 'ccc' }, dtlsKeys: {} };
    expect(await appendSecrets(workspace, more)).toBe(path);
    expect(await readFile(path ?? '', 'utf8')).toBe('dev-1,aaa\ndev-2,bbb,0123\ndev-3,ccc\n');
    if (process.platform !== 'win32') expect((await stat(path ?? '')).mode & 0o777).toBe(0o600);
  } finally {
    workspace.close();
  }
});
