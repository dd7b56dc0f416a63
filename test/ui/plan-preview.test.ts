import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportImported } from '../support/imported-devices.ts';
import { inspectView, openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
  const imported = await page.evaluate(async () => {
    const device = (at: number) => ({
      id: `49015420323${String(at).padStart(4, '0')}`,
      productId: 'SENSOR-1',
      transport: 'mqtt' as const,
      imsi: null,
      iccid: null,
      batch: null,
      versions: at % 5 === 0 ? {} : { STM32: at % 5 === 1 ? '0.9.0' : '1.0.0' },
      lastSeenAt: null,
    });
    const devices = Array.from({ length: 300 }, (_, at) => device(at));
    const run = await window.slipway.call('devices.import', { devices });
    const cloud = await window.slipway.call('cloud.start', {});
    if (!run.ok || !cloud.ok) throw new Error('the devices could not be imported');
    const { secretsFile } = run.value as { secretsFile: string };
    return { devices, secretsFile, http: (cloud.value as { http: string }).http };
  });
  // Ten were only declared: they have not told anything yet.
  const telling = imported.devices.filter((_, at) => at % 30 !== 2);
  await reportImported(imported.http, imported.secretsFile, telling);
  await page.getByTestId('view-rollout').click();
  await page.getByRole('tab', { name: 'New plan' }).click();
});
afterAll(() => studio?.close());

test('the check says who gets what, what it sends and how long it takes', async () => {
  const scope = page.getByTestId('scope');
  await expect
    .poll(() => scope.textContent(), { timeout: 20_000 })
    .toMatch(/^Full package60Delta package170Skipped70/);
  await scope.getByText('Never reported a version').waitFor();
  await page.locator('[data-skip="onlyDeclared"]').getByText('10').waitFor();
  const preview = page.getByTestId('plan-preview');
  await preview.getByText('Over the air').waitFor();
  await preview.getByText('Expected duration').waitFor();
  await page.getByTestId('plan-never-reported').setChecked(true, { force: true });
  await expect.poll(() => scope.textContent()).toMatch(/^Full package130/);
  await page.getByTestId('plan-never-reported').setChecked(false, { force: true });
  await expect.poll(() => scope.textContent()).toMatch(/^Full package60/);
  await preview.scrollIntoViewIfNeeded();
  await inspectView(page, 'plan-preview');
});

test('the devices of each reason are listed, searched and saved as a table', async () => {
  await page.getByTestId('scope-list-neverReported').click();
  const devices = page.getByTestId('scope-devices');
  await expect.poll(() => devices.getAttribute('aria-rowcount')).toBe('61');
  await inspectView(page, 'plan-scope-devices');
  await page.getByLabel('Search by id').fill('0005');
  await expect.poll(() => devices.getAttribute('aria-rowcount')).toBe('2');
  const out = join(studio.folder, 'skipped.csv');
  await studio.answerSaveDialog(out);
  await page.getByTestId('scope-export').click();
  await page.getByText('Saved as skipped.csv').waitFor();
  const lines = (await readFile(out, 'utf8')).trimEnd().split('\r\n');
  expect(lines).toHaveLength(61);
  expect(lines[1]).toMatch(/,skip,neverReported,/);
  await page.keyboard.press('Escape');
  await page.getByTestId('scope-devices').waitFor({ state: 'detached' });
});

test('a device that was only declared is told apart in its list and among the skipped', async () => {
  await page.getByTestId('scope-list-onlyDeclared').click();
  await page.getByText('STM32 was declared as 1.0.0, and it never reported it.').first().waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'Devices and cloud' }).click();
  await page.locator('[data-reported="never"]').getByText('declared only').first().waitFor();
  await page.locator('[data-reported="ddi"]').first().waitFor();
  await inspectView(page, 'devices-reported');
  await page.getByRole('tab', { name: 'New plan' }).click();
});

test('a list from a file names its column and each line that is no device; one click leaves those out', async () => {
  const path = join(studio.folder, 'list.csv');
  const rows = Array.from({ length: 150 }, (_, at) => `site,49015420323${9000 + at}`);
  await writeFile(
    path,
    `\uFEFFplace,IMEI\r\n"a ""b""",490154203230001\r\nb,490154203230001\r\nc,not one\r\n${rows.join('\r\n')}\r\n`,
  );
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Read a file…' }).first().click();
  await (await chooser).setFiles(path);
  const faults = page.getByTestId('whitelist-faults');
  await faults.getByText('Line 4: "not one" is not a device id.').waitFor();
  await page.getByText('1 device from column 2, “IMEI”; 152 lines not taken').waitFor();
  await faults.getByText('and 52 more of 152.').waitFor();
  expect(await page.getByTestId('plan-save').isDisabled()).toBe(true);
  await faults.scrollIntoViewIfNeeded();
  await inspectView(page, 'plan-list-faults');
  const out = join(studio.folder, 'faults.txt');
  await studio.answerSaveDialog(out);
  await faults.getByRole('button', { name: 'Save this list…' }).click();
  await faults.getByText('Saved as faults.txt').waitFor();
  expect((await readFile(out, 'utf8')).trimEnd().split('\n')).toHaveLength(152);
  await faults.getByRole('button', { name: 'Leave those 152 out' }).click();
  expect(await page.getByTestId('plan-whitelist').inputValue()).toBe('490154203230001');
  await expect
    .poll(() => page.getByTestId('scope').textContent(), { timeout: 20_000 })
    .toMatch(/Not on the whitelist: 299/);
  expect(studio.complaints).toEqual([]);
});

test('a package is verified on one device, and the outcome stays with the release', async () => {
  await page.evaluate(async () => {
    const answer = await window.slipway.call('fleet.start', {
      productId: 'SENSOR-1',
      componentId: 'STM32',
      fromVersion: '1.0.0',
      http: 0,
      mqtt: 2,
      lwm2m: 0,
      chinaTelecom: 0,
    });
    if (!answer.ok) throw new Error(answer.error.detail);
  });
  const section = page.getByTestId('verification');
  await page.getByTestId('verify-device').fill('490154203230000');
  await page.getByTestId('verify-start').click();
  await page.getByText('It never reported the version of STM32').waitFor();
  await page.getByTestId('verify-device').fill('SENSOR-1-SIM-MQTT-00001');
  await page.getByTestId('verify-start').click();
  const tried = page.getByTestId('verifications').locator('li');
  await tried.first().getByText('Succeeded').waitFor({ timeout: 30_000 });
  expect(await tried.count()).toBe(1);
  await section.scrollIntoViewIfNeeded();
  await inspectView(page, 'plan-verification');
  // Beside the release, for who decides what becomes of it.
  await page.getByTestId('view-releases').click();
  const beside = page.getByTestId('release-verifications').locator('li');
  await beside.getByText('SENSOR-1-SIM-MQTT-00001').waitFor();
  expect(await beside.first().getAttribute('data-outcome')).toBe('succeeded');
  expect(await beside.first().textContent()).toMatch(/SENSOR-1 STM32 1\.0\.0 to 1\.1\.0, after/);
  await inspectView(page, 'releases-verified');
  await page.getByTestId('view-rollout').click();
  await page.getByRole('tab', { name: 'New plan' }).click();
});

test('a dry run carries the plan out with simulated devices', async () => {
  await page.getByTestId('plan-whitelist').fill('');
  const part = page.getByTestId('dry-run');
  await expect
    .poll(() => page.getByTestId('scope').textContent(), { timeout: 20_000 })
    .toMatch(/^Full package\d+Delta package1\d\d/);
  await page.getByTestId('dry-run-devices').fill('12');
  await page.getByTestId('dry-run-start').click();
  await part.getByTestId('job-strip').waitFor();
  const result = page.getByTestId('dry-run-result');
  await result.waitFor({ timeout: 60_000 });
  expect(await result.textContent()).toMatch(/^Upgraded12Failed0.*12 devices for 23\d/);
  await result.scrollIntoViewIfNeeded();
  await inspectView(page, 'plan-dry-run');
});
