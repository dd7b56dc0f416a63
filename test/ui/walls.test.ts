import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { windowSecurity } from '../../electron/shell/window-security.ts';
import { openStudioWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;

/** Electron reports these back; of the others it only takes note. */
const {
  disableBlinkFeatures: _auxclick,
  navigateOnDragDrop: _drop,
  nodeIntegrationInWorker: _worker,
  spellcheck: _spellcheck,
  ...reportedWalls
} = windowSecurity;

beforeAll(async () => {
  studio = await openStudioWindow();
});
afterAll(() => studio?.close());

test('the only window has exactly the walls that are asked for', async () => {
  const preferences = await studio.app.evaluate(({ BrowserWindow }) => {
    const [window, ...others] = BrowserWindow.getAllWindows();
    const contents = window?.webContents as unknown as {
      getLastWebPreferences(): Record<string, unknown>;
    };
    return { others: others.length, ...contents.getLastWebPreferences() };
  });
  expect(preferences).toMatchObject({ ...reportedWalls, others: 0 });
});

test('the page has no Node, no other origin and no new window, and stays where it is', async () => {
  const { page } = studio;
  expect(
    await page.evaluate(() =>
      ['require', 'process', 'Buffer', 'module'].filter((name) => name in globalThis),
    ),
  ).toEqual([]);
  expect(await page.evaluate(() => Object.keys(window.slipway))).toEqual([
    'call',
    'subscribe',
    'grantFiles',
    'pickFiles',
    'pickTarget',
  ]);
  expect(await page.evaluate(() => window.open('https://example.org'))).toBeNull();
  await page.evaluate(() => {
    location.href = 'https://example.org/';
  });
  await page.waitForTimeout(300);
  expect(page.url()).toBe('app://studio/');
});

test('requests to other origins and injected code are refused', async () => {
  const { page } = studio;
  for (const url of ['https://example.org/', 'http://127.0.0.1:9/', 'file:///etc/passwd'])
    await expect(page.evaluate((target) => fetch(target), url)).rejects.toThrow();
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "injected"';
    document.head.append(script);
    return document.title === 'injected';
  });
  expect(ran).toBe(false);
});

test.each(['geolocation', 'notifications', 'camera', 'microphone', 'midi', 'clipboard-read'])(
  'the permission %s is denied',
  async (name) => {
    const state = await studio.page.evaluate(
      async (permission) =>
        (await navigator.permissions.query({ name: permission as PermissionName })).state,
      name,
    );
    expect(state).toBe('denied');
  },
);

test('devices of the machine cannot be asked for', async () => {
  const asked = await studio.page.evaluate(async () => {
    const doors = navigator as unknown as Record<
      string,
      { requestPort?(): Promise<unknown>; requestDevice?(options: unknown): Promise<unknown> }
    >;
    const outcomes: string[] = [];
    for (const name of ['serial', 'usb', 'hid']) {
      const door = doors[name];
      const ask = door?.requestPort?.() ?? door?.requestDevice?.({ filters: [] });
      outcomes.push(
        await Promise.resolve(ask).then(
          (got) =>
            (Array.isArray(got) && got.length === 0) || got === undefined ? 'nothing' : 'device',
          () => 'refused',
        ),
      );
    }
    return outcomes;
  });
  expect(asked).not.toContain('device');
});

test('text can be copied, which is the one permission that the page has', async () => {
  const { app, page } = studio;
  await page.bringToFront();
  await page.evaluate(() => navigator.clipboard.writeText('0123abcd'));
  expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe('0123abcd');
});

test('nothing is downloaded', async () => {
  const { app, page, folder } = studio;
  await app.evaluate(({ app: electron }, path) => electron.setPath('downloads', path), folder);
  await page.evaluate(() => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['x']));
    link.download = 'download.txt';
    link.click();
  });
  await page.waitForTimeout(300);
  expect(existsSync(join(folder, 'download.txt'))).toBe(false);
});

test('a path is no handle, and what was picked to be read cannot be written', async () => {
  const { page, folder } = studio;
  const call = (method: string, input: unknown) =>
    page.evaluate(([name, value]) => window.slipway.call(name as string, value), [method, input]);
  expect(await call('bundle.inspect', { files: ['/etc/passwd'] })).toMatchObject({
    ok: false,
    error: { code: 'file-not-granted' },
  });
  await writeFile(join(folder, 'victim.bin'), 'precious');
  await studio.answerDialog([join(folder, 'victim.bin')]);
  const picked = await page.evaluate(() =>
    window.slipway.pickFiles({ multiple: false, title: 'Pick' }),
  );
  if (!picked.ok) throw new Error(picked.error.title);
  expect(JSON.stringify(picked)).not.toContain(folder);
  const handle = picked.value[0]?.handle ?? '';
  expect(await call('delta.apply', { source: handle, patch: handle, out: handle })).toMatchObject({
    ok: false,
    error: { code: 'file-not-granted' },
  });
});

test('a place that was chosen is written once, is not read, and its path stays outside', async () => {
  const { page, folder } = studio;
  const out = join(folder, 'report.json');
  await studio.answerSaveDialog(out);
  const chosen = await page.evaluate(() =>
    window.slipway.pickTarget({ title: 'Save', suggestedName: 'report.json' }),
  );
  if (!chosen.ok || !chosen.value) throw new Error('no place was granted');
  expect(JSON.stringify(chosen)).not.toContain(folder);
  const write = (handle: string) =>
    page.evaluate((target) => {
      const report = { verdict: 'pass', files: [] };
      const input = { format: 'json', out: target, report, title: 'x' };
      return window.slipway.call('bundle.report', input);
    }, handle);
  expect(await write(chosen.value.handle)).toMatchObject({ ok: true });
  expect(JSON.parse(await readFile(out, 'utf8'))).toEqual({ verdict: 'pass', files: [] });
  for (const refused of [chosen.value.handle, out, 'target:0'])
    expect(await write(refused)).toMatchObject({ error: { code: 'file-not-granted' } });
  await studio.answerSaveDialog(null);
  const closed = await page.evaluate(() =>
    window.slipway.pickTarget({ title: 'Save', suggestedName: 'report.json' }),
  );
  expect(closed).toEqual({ ok: true, value: null });
});

test('a folder is refused by name', async () => {
  await studio.answerDialog([studio.folder]);
  const answer = await studio.page.evaluate(() =>
    window.slipway.pickFiles({ multiple: false, title: 'Pick' }),
  );
  expect(answer).toMatchObject({ ok: false, error: { code: 'not-a-file' } });
});

test('a malformed request gets an answer, not a crash', async () => {
  const answers = await studio.page.evaluate(async () => [
    await window.slipway.call('no.such.call', {}),
    await window.slipway.call('releases.create', { productId: 7 }),
    await window.slipway.call(5 as unknown as string, null),
    await window.slipway.pickFiles({ multiple: 'yes' } as never),
    await window.slipway.pickTarget({ title: 'Save', suggestedName: '../../.bashrc' }),
  ]);
  expect(answers.map((answer) => !answer.ok && answer.error.code)).toEqual([
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
  ]);
});
