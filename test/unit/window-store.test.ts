import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import { useBundleDrafts } from '../../renderer/stores/bundle-drafts.ts';
import { useRollout } from '../../renderer/stores/rollout.ts';
import { useStudio } from '../../renderer/stores/studio.ts';

let folder: string;
let studio: Studio;

const secondComponent = `
  - id: GATEWAY
    name: Two MCUs
    components:
      - { id: BIG, name: Big, type: mcu, memory: [{ name: flash, start: 0x08000000, sizeBytes: 65536 }] }
      - { id: TINY, name: Tiny, type: mcu, memory: [{ name: flash, start: 0x08000000, sizeBytes: 1024 }] }
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-store-'));
  await cp('resources/sample', folder, { recursive: true });
  const yaml = join(folder, 'slipway.yaml');
  const text = await readFile(yaml, 'utf8');
  await writeFile(yaml, text.replace('# More file types', `${secondComponent}# More file types`));
  studio = await createStudio({ workspacePath: folder });
  // The engine itself behind the door that the preload opens in the window.
  Object.assign(globalThis, { window: { slipway: studio } });
  await useStudio.getState().start();
});
afterAll(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

const image = (version: string) => ({
  handle: join(folder, `firmware/sensor-${version}.bin`),
  name: `sensor-${version}.bin`,
  sizeBytes: 1,
});

test('start reads everything once and is ready', () => {
  const { ready, products, settings, cloud, problem } = useStudio.getState();
  expect(problem).toBeNull();
  expect(ready).toBe(true);
  expect(products.map(({ id }) => id)).toEqual(['SENSOR-1', 'GATEWAY']);
  expect(settings?.theme).toBe('system');
  expect(cloud?.running).toBe(false);
});

test('a finished job that records something is followed by fresh records, without anyone asking', async () => {
  const release = await studio.ask('releases.create', { productId: 'SENSOR-1', version: '1.0.0' });
  await studio.ask('bundle.create', {
    releaseId: release.id,
    componentId: 'STM32',
    files: [image('1.0.0').handle],
  });
  await expect.poll(() => useStudio.getState().packages.length).toBe(1);
  expect(useStudio.getState().releaseId).toBe(release.id);
  expect(useStudio.getState().jobs[0]).toMatchObject({ kind: 'bundle.create', state: 'succeeded' });
});

test('a problem stays until it is dismissed, though other work ends in the meantime', async () => {
  const { act, dismissProblem } = useStudio.getState();
  const done = await act(async () => {
    await studio.ask('releases.create', { productId: 'SENSOR-1', version: '1.0.0' });
  });
  expect(done).toBe(false);
  const release = await studio.ask('releases.create', { productId: 'SENSOR-1', version: '2.0.0' });
  await studio.ask('bundle.create', {
    releaseId: release.id,
    componentId: 'STM32',
    files: [image('1.1.0').handle],
  });
  await expect.poll(() => useStudio.getState().packages.length).toBe(2);
  expect(useStudio.getState().problem?.code).toBe('release-exists');
  dismissProblem();
  expect(useStudio.getState().problem).toBeNull();
});

test('cancelling is no problem to be shown', async () => {
  const aborted = new DOMException('gone', 'AbortError');
  expect(await useStudio.getState().act(() => Promise.reject(aborted))).toBe(false);
  expect(useStudio.getState().problem).toBeNull();
});

test('a draft is checked against exactly its component, and the last choice of files wins', async () => {
  const { check, discard } = useBundleDrafts.getState();
  const target = { releaseId: 'r', productId: 'GATEWAY', componentId: 'TINY', version: '1.0.0' };
  await Promise.all([
    check(target, [image('1.1.0')]),
    check({ ...target, componentId: 'BIG' }, [image('1.0.0')]),
  ]);
  const drafts = useBundleDrafts.getState().drafts;
  expect(drafts['r/BIG']?.report?.verdict).toBe('pass');
  expect(drafts['r/TINY']?.report?.verdict).toBe('block');

  const older = check(target, [image('1.1.0')]);
  const newer = check(target, [image('1.0.0'), image('1.1.0')]);
  await Promise.all([older, newer]);
  expect(useBundleDrafts.getState().drafts['r/TINY']?.report?.files).toHaveLength(2);
  discard(target);
  await check({ ...target, componentId: 'BIG' }, []);
  expect(useBundleDrafts.getState().drafts).toEqual({});
});

test('settings are saved to the workspace and shown as they were saved', async () => {
  const { saveSettings } = useStudio.getState();
  await saveSettings({ theme: 'dark', fileTypes: ['.rbl'] });
  expect(useStudio.getState().settings).toMatchObject({ theme: 'dark', fileTypes: ['.rbl'] });
  await expect(saveSettings({ chinaTelecomIccidPrefixes: ['123'] })).rejects.toThrow();
  expect((await studio.ask('settings.get', {})).chinaTelecomIccidPrefixes).toEqual([
    '898603',
    '898611',
  ]);
});

test('a cloud that could not be followed for a moment leaves no problem behind', async () => {
  const closed = { call: () => Promise.reject(new Error('the door is closed')) };
  Object.assign(globalThis, { window: { slipway: closed } });
  await useRollout.getState().follow();
  expect(useRollout.getState().problem?.detail).toContain('the door is closed');
  Object.assign(globalThis, { window: { slipway: studio } });
  await useRollout.getState().follow();
  expect(useRollout.getState().problem).toBeNull();
});
