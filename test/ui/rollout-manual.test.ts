import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRolloutTab, publishPlan, startLocalCloud } from '../support/rollout-steps.ts';
import {
  flashVirtualBoard,
  inspectView,
  openReleasesWindow,
  type StudioWindow,
} from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
});
afterAll(() => studio?.close());

const mark = (id: string) => page.getByLabel(`Mark SENSOR-1-SIM-${id}`).click();
const outcome = (text: string) => page.getByTestId('act-outcome').getByText(text).waitFor();
const held = () => page.getByTestId('held').textContent();

test('a manual plan is written with its texts, times and strategy', async () => {
  await startLocalCloud(page);
  await page.getByTestId('fleet-http').fill('3');
  await page.getByTestId('fleet-mqtt').fill('2');
  await page.getByTestId('fleet-lwm2m').fill('1');
  await page.getByTestId('fleet-behaviour').click();
  await page.getByTestId('fleet-low-battery').waitFor();
  await inspectView(page, 'rollout-fleet-signals');
  await page.getByTestId('fleet-start').click();
  await page.getByTestId('fleet-status').waitFor();
  // Whoever looks at the list sees that the devices have spoken for themselves.
  for (const protocol of ['ddi', 'mqtt', 'lwm2m'])
    await page.locator(`[data-reported="${protocol}"]`).first().waitFor();
  const auto = page.getByLabel('Confirm manual plans for SENSOR-1-SIM-HTTP-00003 without asking');
  await auto.click();
  await expect.poll(() => auto.isChecked()).toBe(true);
  await inspectView(page, 'rollout-auto-confirm');
  await auto.click();
  await expect.poll(() => auto.isChecked()).toBe(false);
  await flashVirtualBoard(page);
  await page.getByTestId('view-rollout').click();
  await openRolloutTab(page, 'New plan');
  await page.locator('[data-gate="bench"][data-passed="true"]').waitFor();
  await page.getByTestId('plan-mode').getByText('Manual').click();
  const reason = page.getByTestId('publish-reason');
  await reason.getByText('zh and en is missing').waitFor();
  await page.getByTestId('plan-text-zh').fill('修复了睡眠期间的电池消耗。');
  await page.getByTestId('plan-text-en').fill('Mends the battery drain during sleep.');
  await page.getByTestId('plan-start').fill('2026-01-01 08:00');
  await reason.getByText('both a start and an end').waitFor();
  await page.getByTestId('plan-end').fill('2025-12-31 08:00');
  await reason.getByText('ends before it starts').waitFor();
  await page.getByTestId('plan-end').fill('2099-12-31 08:00');
  await page.getByTestId('plan-end').fill('soon');
  await reason.getByText('Write start and end like').waitFor();
  await page.getByTestId('plan-end').fill('2099-12-31 08:00');
  await page.getByTestId('plan-battery').fill('40');
  await expect.poll(() => page.getByTestId('plan-publish').isEnabled()).toBe(true);
  await page.getByTestId('plan-mode-section').scrollIntoViewIfNeeded();
  await inspectView(page, 'rollout-plan-manual');
  await page.getByTestId('plan-strategy-section').scrollIntoViewIfNeeded();
  await inspectView(page, 'rollout-plan-strategy');
});

test('who waits is shown with why, and is confirmed, appointed, cancelled and retried', async () => {
  await publishPlan(page);
  await page.getByTestId('live-plan').waitFor();
  await expect.poll(held).toBe('Held: 6 until their users confirm');
  await page.getByText('Held: not confirmed yet. Plan received').first().waitFor();
  await inspectView(page, 'rollout-held');

  await mark('HTTP-00001');
  await page.getByTestId('act-confirm').click();
  await outcome('1 device confirmed.');
  await expect
    .poll(() => page.locator('[data-count="upgraded"] strong').textContent(), { timeout: 40_000 })
    .toBe('1');

  await mark('MQTT-00001');
  await mark('HTTP-00002');
  await page.getByTestId('act-appoint').click();
  await page.getByTestId('appoint-from').fill('2099-12-01 10:00');
  await page.getByTestId('appoint-to').fill('2099-12-01 10:30');
  await page.getByText('A window lasts an hour or more.').waitFor();
  await inspectView(page, 'rollout-appoint');
  await page.getByTestId('appoint-to').fill('2099-12-01 11:00');
  await page.getByTestId('appoint-confirm').click();
  await outcome('2 devices appointed.');
  await expect.poll(held).toBe('Held: 3 until their users confirm, 2 until their appointed window');

  await mark('HTTP-00003');
  await page.getByTestId('act-cancel').click();
  await outcome('1 device cancelled.');
  await page.getByText('Upgrade failed: user-cancelled').waitFor();
  await mark('HTTP-00003');
  await page.getByTestId('act-retry').click();
  await outcome('1 device tried again.');
  await expect
    .poll(() => page.locator('[data-count="upgraded"] strong').textContent(), { timeout: 40_000 })
    .toBe('2');

  // The keyboard marks the current row; those that cannot be confirmed are refused by name.
  await page.getByTestId('mark-all').click();
  await page.getByText('6 devices marked').waitFor();
  await page.getByTestId('rollout-devices').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.getByText('5 devices marked').waitFor();
  await page.getByTestId('act-confirm').click();
  await outcome('5 devices confirmed.');
  await expect
    .poll(() => page.locator('[data-count="upgraded"] strong').textContent(), { timeout: 40_000 })
    .toBe('6');
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
