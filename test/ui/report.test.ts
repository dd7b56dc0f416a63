import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InspectReport } from '../../shared/domain/finding.ts';
import type { SarifLog } from '../../shared/report/sarif-report.ts';
import { axeViolations } from '../support/axe.ts';
import { openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;
const at = (name: string): string => join(studio.folder, name);

beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
  await page.getByTestId('view-bundle').click();
});
afterAll(() => studio?.close());

async function save(scope: string, format: string, name: string): Promise<string> {
  await studio.answerSaveDialog(at(name));
  await page.getByTestId(scope).getByTestId('save-report').first().click();
  await page.getByRole('menuitem', { name: format }).click();
  await page.getByTestId(scope).getByText(`Saved as ${name}`).waitFor();
  return readFile(at(name), 'utf8');
}

test('the report of the files is saved in each form', async () => {
  await writeFile(at('<img src=x>.bin'), `token ghp_${'a1B2'.repeat(9)} end`);
  await writeFile(at('empty.s19'), '');
  await studio.answerDialog([at('<img src=x>.bin'), at('empty.s19')]);
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByTestId('findings').waitFor();
  const report = JSON.parse(await save('verdict-panel', 'JSON', 'a.json')) as InspectReport;
  expect(report.files.map(({ name }) => name)).toEqual(['<img src=x>.bin', 'empty.s19']);
  const sarif = JSON.parse(await save('verdict-panel', 'SARIF', 'a.sarif')) as SarifLog;
  expect(sarif.runs[0].results.map(({ ruleId }) => ruleId)).toContain('file.empty');
  const html = await save('verdict-panel', 'HTML page', 'a.html');
  expect(html).toContain('&lt;img src=x&gt;.bin');
});

test('the HTML page is readable in light, dark and print, and without a finding of axe', async () => {
  const opened = studio.app.waitForEvent('window');
  await studio.app.evaluate(
    ({ BrowserWindow }, url) => {
      // A session of its own, as in a browser: the studio's opens no files.
      const webPreferences = { partition: 'report' };
      const window = new BrowserWindow({ width: 1000, height: 800, webPreferences });
      void window.loadURL(url);
    },
    pathToFileURL(at('a.html')).href,
  );
  const report = await opened;
  const complaints: string[] = [];
  report.on('console', (message) => complaints.push(message.text()));
  await report.getByRole('heading', { level: 1 }).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await report.emulateMedia({ colorScheme });
    expect(await axeViolations(report), colorScheme).toEqual([]);
    await report.screenshot({ path: `test/artifacts/report-${colorScheme}.png`, fullPage: true });
  }
  await report.emulateMedia({ colorScheme: 'dark', media: 'print' });
  const [ink, paper] = await report.evaluate(() => {
    const { color, backgroundColor } = getComputedStyle(document.body);
    return [color, backgroundColor];
  });
  expect([ink, paper]).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
  expect(await report.locator('img, script').count()).toBe(0);
  await report.close();
  expect(complaints).toEqual([]);
});

test('the report of a version package is saved, and a closed dialog saves nothing', async () => {
  const report = JSON.parse(await save('packages-section', 'JSON', 'p.json')) as InspectReport;
  expect(report.files.map(({ name }) => name)).toEqual(['sensor-1.1.0.bin']);
  await studio.answerSaveDialog(null);
  await page.getByTestId('packages-section').getByTestId('save-report').first().click();
  await page.getByRole('menuitem', { name: 'JSON' }).click();
  await page.getByRole('menuitem').first().waitFor({ state: 'hidden' });
  expect(await page.getByTestId('packages-section').getByText('Saved as').isVisible()).toBe(false);
  expect(await page.getByRole('alert').count()).toBe(0);
});

test('a place that cannot be written is told', async () => {
  await studio.answerSaveDialog(join(studio.folder, 'slipway.yaml', 'report.html'));
  await page.getByTestId('verdict-panel').getByTestId('save-report').click();
  await page.getByRole('menuitem', { name: 'HTML page' }).click();
  await page.getByRole('alert').waitFor();
});

test('nothing broke the content security policy or the page', () => {
  expect(studio.complaints).toEqual([]);
});
