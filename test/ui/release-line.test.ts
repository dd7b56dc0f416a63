import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  flashVirtualBoard,
  inspectView,
  openStudioWindow,
  type StudioWindow,
} from '../support/studio-window.ts';

const slowMs = 120_000;

let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openStudioWindow();
  ({ page } = studio);
});
afterAll(() => studio?.close());

const openView = async (name: string): Promise<void> => {
  await page.getByTestId(`view-${name}`).click();
  await page.getByTestId(`${name}-view`).waitFor();
};
const openTab = (name: string) => page.getByRole('tab', { name }).click();

async function createRelease(version: string): Promise<void> {
  await openView('releases');
  await page.getByTestId('new-release').click();
  await page.getByTestId('release-version').fill(version);
  await page.getByTestId('create-release').click();
  await expect.poll(() => page.getByTestId('release-select').inputValue()).toContain(version);
}

async function packageFirmware(version: string): Promise<void> {
  await createRelease(version);
  await openView('bundle');
  await studio.answerDialog([join(studio.folder, `firmware/sensor-${version}.bin`)]);
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByTestId('file-card').waitFor();
  await page.getByTestId('verdict-panel').getByText('Every check passed.').waitFor();
  await inspectView(page, `line-bundle-draft-${version}`);
  await page.getByTestId('bundle-create').click();
  await page.getByTestId('package-card').waitFor();
}

test('a new workspace begins with nothing but its product', async () => {
  await page.getByTestId('first-release').waitFor();
  await inspectView(page, 'line-releases-empty');
});

test('firmware files are checked, shown with their findings and packaged', async () => {
  await packageFirmware('1.0.0');
  await packageFirmware('1.1.0');
  await page.getByTestId('package-card').click();
  await inspectView(page, 'line-bundle');
});

test('the delta from 1.0.0 is made and proven', async () => {
  await openView('delta');
  await inspectView(page, 'line-delta-to-make');
  await page.getByTestId('delta-make').click();
  await page.getByTestId('delta-proof').waitFor({ timeout: slowMs });
  await inspectView(page, 'line-delta');
  await page.getByTestId('delta-measure').click();
  const matrix = page.getByTestId('delta-matrix');
  await matrix.waitFor({ timeout: slowMs });
  const measured = await matrix.innerText();
  for (const word of ['BSDIFF40', 'VCDIFF', 'detools, lzma', 'Smallest'])
    expect(measured).toContain(word);
  await inspectView(page, 'line-delta-matrix');
});

test('the virtual board is flashed and boots 1.1.0', async () => {
  await flashVirtualBoard(page);
  await inspectView(page, 'line-bench');
});

test('the local cloud starts, and 25 HTTP, 25 MQTT and 5 LwM2M devices come up with 1.0.0', async () => {
  await openView('rollout');
  await page.getByTestId('start-cloud').click();
  await page.getByTestId('stop-cloud').waitFor({ timeout: slowMs });
  await openTab('Devices and cloud');
  await page.getByTestId('fleet-http').fill('25');
  await page.getByTestId('fleet-mqtt').fill('25');
  await page.getByTestId('fleet-lwm2m').fill('5');
  await page.getByTestId('fleet-telecom').fill('0');
  await page.getByTestId('fleet-start').click();
  await page.getByText('Devices (55)').waitFor({ timeout: slowMs });
  await page.getByTestId('devices').getByText('STM32 1.0.0').first().waitFor();
  await inspectView(page, 'line-devices');
});

test('every gate is open, and the typed version publishes the plan', async () => {
  await openTab('New plan');
  await expect
    .poll(() => page.getByTestId('scope').textContent(), { timeout: slowMs })
    .toMatch(/^Full package0Delta package55Skipped0/);
  expect(await page.locator('[data-gate]').count()).toBeGreaterThan(4);
  expect(await page.locator('[data-gate][data-passed="false"]').count()).toBe(0);
  await inspectView(page, 'line-plan');
  await page.getByTestId('plan-publish').click();
  expect(await page.getByTestId('publish-confirm').isDisabled()).toBe(true);
  await page.getByTestId('publish-version').fill('1.1.0');
  await inspectView(page, 'line-publish');
  await page.getByTestId('publish-confirm').click();
  await page.getByTestId('live-plan').waitFor();
});

test('all 55 devices report 1.1.0', { timeout: 2 * slowMs }, async () => {
  await expect
    .poll(() => page.locator('[data-count="upgraded"] strong').textContent(), { timeout: slowMs })
    .toBe('55');
  await page.getByTestId('live-plan').getByText('Ended', { exact: true }).waitFor();
  await page.getByTestId('success-rate').getByText('100 % of 55 finished').waitFor();
  await page.getByTestId('rollout-devices').getByText('Upgrade succeeded').first().waitFor();
  await inspectView(page, 'line-rollout');
  await page.getByText('Over time', { exact: true }).click();
  await page.getByTestId('history-chart').locator('canvas').waitFor();
  await inspectView(page, 'line-rollout-history');
  await openTab('Devices and cloud');
  for (const [transport, devices] of [
    ['HTTP', 25],
    ['MQTT', 25],
    ['LWM2M', 5],
  ]) {
    await page.getByLabel('Search devices').fill(`SIM-${transport}-`);
    await page.getByText(`Devices (${devices})`).waitFor();
    const running = page.getByTestId('devices').getByRole('gridcell', { name: /^STM32 / });
    await expect
      .poll(async () => [...new Set(await running.allTextContents())], { timeout: slowMs })
      .toEqual(['STM32 1.1.0']);
  }
});

test('the evidence is exported, verified and shown', async () => {
  await openView('evidence');
  const record = page.getByTestId('record');
  for (const part of ['Version packages (2)', 'Deltas proven (1)', 'Bench runs (1)'])
    await record.getByText(part).waitFor();
  await record.getByText('Rollouts (1)').waitFor();
  await page.getByTestId('evidence-export').click();
  await page.getByTestId('verify-exported').click();
  await page.getByTestId('verify').getByText('Intact').waitFor();
  expect(await page.locator('[data-check][data-passed="false"]').count()).toBe(0);
  await inspectView(page, 'line-evidence');
});

test('the line ends with every room done; settings and dock tell the rest', async () => {
  await openView('releases');
  await page.getByTestId('releases-grid').getByText('1.1.0').waitFor();
  await inspectView(page, 'line-releases');
  await openView('settings');
  await inspectView(page, 'line-settings');
  await openView('releases');
  await page.getByTestId('dock-jobs').click();
  await page.getByTestId('jobs-grid').waitFor();
  await inspectView(page, 'line-dock-jobs');
  await page.getByTestId('dock-log').click();
  await page.getByTestId('log-grid').waitFor();
  await inspectView(page, 'line-dock-log');
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
