import { cp, mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
let app: ElectronApplication;
let page: Page;

beforeAll(async () => {
  const executablePath = process.env.SLIPWAY_ELECTRON;
  if (!executablePath) throw new Error('Electron is missing: run npm run setup, then npm test');
  folder = await mkdtemp(join(tmpdir(), 'slipway-window-'));
  await cp('resources/sample', folder, { recursive: true });
  await mkdir('test/artifacts', { recursive: true });
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const images = ['1.0.0', '1.1.0'].map((version) =>
    join(folder, `firmware/sensor-${version}.bin`),
  );
  app = await _electron.launch({
    executablePath,
    args: [...sandbox, `--user-data-dir=${join(folder, 'profile')}`, '.', folder],
    env: { ...(process.env as Record<string, string>), SLIPWAY_TEST_PICK: images.join(':') },
  });
  page = await app.firstWindow();
  await page.waitForFunction(() => document.documentElement.dataset.interactive === 'true');
});
afterAll(async () => {
  await app?.close();
  await rm(folder, { recursive: true, force: true });
});

test('the page is isolated: no Node, no other origin, no new window', async () => {
  expect(
    await page.evaluate(() => [
      typeof (globalThis as { require?: unknown }).require,
      typeof (globalThis as { process?: unknown }).process,
    ]),
  ).toEqual(['undefined', 'undefined']);
  expect(page.url()).toBe('app://studio/');
  expect(await page.evaluate(() => window.open('https://example.org'))).toBeNull();
  await expect(page.evaluate(() => fetch('https://example.org'))).rejects.toThrow();
});

test('a path is not a file handle', async () => {
  const answer = await page.evaluate(() =>
    window.slipway.call('bundle.inspect', { files: ['/etc/passwd'] }),
  );
  expect(answer).toMatchObject({ ok: false, error: { code: 'file-not-granted' } });
});

test('two releases are bundled and a proven delta is made between them', async () => {
  for (const version of ['1.0.0', '1.1.0']) {
    await page.getByTestId('release-version').fill(version);
    await page.getByTestId('new-release').click();
    await page.getByTestId('bundle-pick').click();
    await page.getByTestId('findings').waitFor();
    await page.getByTestId('bundle-create').click();
    await page.getByText(`Full, STM32 ${version}`).waitFor();
  }
  await page.getByTestId('delta-make').click();
  await page.getByText('Delta from 1.0.0, proven').waitFor();
  await page.screenshot({ path: 'test/artifacts/bundle.png' });
});
