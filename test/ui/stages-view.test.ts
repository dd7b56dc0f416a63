import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CloudAdministration } from '../../electron/core/clouds/cloud-administration.ts';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
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
  await startLocalCloud(page);
});
afterAll(() => studio?.close());

const sizes = () =>
  page.getByTestId('plan-stages').locator('[data-testid^="stage-size"]').allTextContents();
const stage = (place: number) => page.getByTestId('stage-strip').locator(`[data-stage="${place}"]`);
const stageState = (place: number) =>
  expect.poll(() => stage(place).getAttribute('data-state'), { timeout: 40_000 });

async function startFleet(failing: number): Promise<void> {
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByTestId('fleet-lwm2m').fill('0');
  await page.getByTestId('fleet-http').fill('20');
  await page.getByTestId('fleet-mqtt').fill('20');
  await page.getByTestId('fleet-failing').fill(String(failing));
  await page.getByTestId('fleet-start').click();
  await page.getByTestId('fleet-status').waitFor();
}

async function decide(kind: string): Promise<void> {
  const dialog = page.getByTestId(`${kind}-dialog`);
  await dialog.getByLabel('Reason').fill('The failing devices are on the test rack.');
  await dialog.getByLabel('Your name').fill('Ada Byron');
  await page.getByTestId(`${kind}-submit`).click();
  await dialog.waitFor({ state: 'hidden' });
}

test('the editor shows how many devices each stage takes, and says what is wrong', async () => {
  await flashVirtualBoard(page);
  await page.getByTestId('view-rollout').click();
  await startFleet(25);
  await openRolloutTab(page, 'New plan');
  await page.getByText('In stages', { exact: true }).click();
  await expect.poll(sizes, { timeout: 20_000 }).toEqual(['2', '8', '30']);
  await page.getByLabel('Size of stage 1', { exact: true }).fill('30');
  await page
    .getByTestId('publish-reason')
    .getByText('Stage 2: the stages up to it must reach')
    .waitFor();
  await page.getByLabel('Size of stage 2', { exact: true }).fill('');
  await page.getByTestId('publish-reason').getByText('Stage 2: give its size').waitFor();
  await page.getByLabel('Size of stage 2', { exact: true }).fill('60');
  await expect.poll(sizes).toEqual(['12', '12', '16']);
  await page.getByTestId('stop-failurePercent').fill('');
  await page.getByTestId('publish-reason').getByText('give a share or a number').waitFor();
  await page.getByTestId('stop-failurePercent').fill('15');
  await page.getByTestId('stop-minFinished').fill('12');
  await page.getByLabel('Soak of stage 1', { exact: true }).fill('60');
  await page.getByLabel('Soak of stage 2', { exact: true }).fill('0');
  await page.getByLabel('Ask before the stage after 2 opens').check();
  await page.getByLabel('Retries of a device').fill('0');
  await page.getByTestId('plan-stages').scrollIntoViewIfNeeded();
  await page.getByTestId('plan-stop-rules').scrollIntoViewIfNeeded();
  await inspectView(page, 'stages-editor');
});

test('failures stop the plan with their evidence; a person accepts them and it goes on', async () => {
  await publishPlan(page);
  await page.getByTestId('stage-strip').waitFor();
  await page.getByTestId('stop').waitFor({ timeout: 60_000 });
  expect(await page.getByTestId('stop').textContent()).toMatch(
    /\d failures? \(\d failed, 0 silent\) among 1\d finished devices.*stops at 15 %.*SENSOR-1-SIM-\w+-\d+ \(simulated-fault\)/,
  );
  expect(await page.getByTestId('plan-resume').count()).toBe(0);
  await inspectView(page, 'stages-stopped');
  const rows = page.getByTestId('rollout-devices');
  const roomOf = async () => (await rows.boundingBox())?.height ?? 0;
  const beside = await roomOf();
  await page.getByTestId('plan-fold').click();
  await page.getByTestId('stop').waitFor({ state: 'detached' });
  expect(await roomOf()).toBeGreaterThan(beside + 150);
  await page.getByTestId('plan-fold').click();
  await page.getByTestId('resume-accept').click();
  await inspectView(page, 'stages-accept');
  await decide('resume-accept');
  await page.getByTestId('stops').getByText('Ada Byron accepted').waitFor();
  await stageState(1).toBe('soaking');
  await page
    .getByTestId('soak')
    .getByText(/Soaks for another 59 min/)
    .waitFor();
  await inspectView(page, 'stages-soaking');
}, 180_000);

test('who is signed in decides under that account, and types no name', async () => {
  const token = (
    await readFile(join(studio.folder, '.slipway/cloud/operator-token'), 'utf8')
  ).trim();
  const started = await page.evaluate(() => window.slipway.call('cloud.start', {}));
  if (!started.ok) throw new Error(started.error.detail);
  const { http } = started.value as { http: string };
  const otto = await new CloudAdministration(new LocalCloud({ http, token })).addAccount(
    'otto',
    'operator',
  );
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByTestId('sign-in').click();
  await page.getByTestId('sign-in-token').fill('not a token');
  await page.getByTestId('sign-in-submit').click();
  await page.getByText('This token is that of no account').waitFor();
  await inspectView(page, 'sign-in');
  await page.getByTestId('sign-in-token').fill(otto.token);
  await page.getByTestId('sign-in-submit').click();
  await page.getByTestId('operator-name').getByText('otto (operator)').waitFor();
  await inspectView(page, 'signed-in');
  await openRolloutTab(page, 'Plans');
});

test('a stage is opened early, and what a device went through is told line by line', async () => {
  await page.getByTestId('open-stage').click();
  const dialog = page.getByTestId('open-stage-dialog');
  await dialog.getByTestId('decision-account').getByText('otto').waitFor();
  expect(await dialog.getByLabel('Your name').count()).toBe(0);
  await dialog.getByLabel('Reason').fill('The failing devices are on the test rack.');
  await inspectView(page, 'stages-decision-account');
  await page.getByTestId('open-stage-submit').click();
  await stage(2).getByText('Opened by otto').waitFor();
  await page.getByTestId('rollout-state').click();
  await page.getByRole('option', { name: 'Failed' }).click();
  const grid = page.getByTestId('rollout-devices');
  await grid.getByText('simulated-fault').first().waitFor();
  await grid.focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('device-log-open').click();
  const log = page.getByTestId('device-log');
  await log.locator('[data-event="failed"]').getByText('Failed: simulated-fault').waitFor();
  await log
    .locator('[data-event="jobGiven"]')
    .getByText('Job given: delta, 1.0.0')
    .first()
    .waitFor();
  await inspectView(page, 'stages-device-log');
  await page.keyboard.press('Escape');
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
