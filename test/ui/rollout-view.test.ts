import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRolloutTab, publishPlan } from '../support/rollout-steps.ts';
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

const count = (state: string) => page.locator(`[data-count="${state}"] strong`);
const shown = (locator: ReturnType<typeof count>, text: string) =>
  expect.poll(() => locator.textContent(), { timeout: 40_000 }).toBe(text);
const planState = (word: string) =>
  page.getByTestId('live-plan').getByText(word, { exact: true }).waitFor();

async function startFleet(): Promise<void> {
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByTestId('fleet-start').click();
  await page.getByTestId('fleet-status').waitFor();
}

async function stopFleet(): Promise<void> {
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByTestId('fleet-stop').click();
  await page.getByTestId('fleet-start').waitFor();
}

async function publish(): Promise<void> {
  await publishPlan(page);
  await page.getByTestId('live-plan').waitFor();
}

test('without a running cloud nothing is asked of it, and the view says what to do', async () => {
  await page.getByTestId('view-rollout').click();
  await page.getByTestId('no-plans').waitFor();
  await openRolloutTab(page, 'New plan');
  await page.getByTestId('publish-reason').getByText('Start the local cloud').waitFor();
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByText('The local cloud is stopped. Start it').waitFor();
  const status = await page.evaluate(() => window.slipway.call('cloud.status', {}));
  expect(status).toMatchObject({ ok: true, value: { running: false } });
  await inspectView(page, 'rollout-stopped');
});

test('a plan whose gates are closed cannot be published, and each gate says why', async () => {
  await page.getByTestId('start-cloud').click();
  await page.getByTestId('cloud-addresses').getByText('http://127.0.0.1').waitFor();
  await openRolloutTab(page, 'New plan');
  await page.locator('[data-gate="bench"][data-passed="false"]').waitFor();
  await page.locator('[data-gate="scope"][data-passed="false"]').waitFor();
  await page.locator('[data-gate="deltas"][data-passed="true"]').waitFor();
  expect(await page.getByTestId('plan-publish').isDisabled()).toBe(true);
  expect(await page.getByTestId('publish-reason').textContent()).toContain(
    'Bench policy is met for exactly these hashes',
  );
  await inspectView(page, 'rollout-gates-closed');
  await page.locator('[data-gate="bench"]').getByRole('button').click();
  await page.getByTestId('bench-view').waitFor();
  await page.getByTestId('view-rollout').click();
  await page.locator('[data-gate="scope"]').getByRole('button').click();
  await page.getByTestId('fleet-start').waitFor();
});

test('simulated devices appear, those on China Telecom SIMs as such', async () => {
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByTestId('fleet-lwm2m').fill('0');
  await page.getByTestId('fleet-telecom').fill('2');
  await startFleet();
  await page.getByText('Devices (20)').waitFor();
  const devices = page.getByTestId('devices');
  await devices.getByText('STM32 1.0.0').first().waitFor();
  await inspectView(page, 'rollout-devices');
  await page.getByLabel('Search devices').fill('MQTT-');
  await page.getByText('Devices (10)').waitFor();
  expect(await devices.getByText('China Telecom,').count()).toBe(2);
  await page.getByLabel('Search devices').fill('');
});

test('the preview names who is skipped and why; the blacklist wins', async () => {
  await flashVirtualBoard(page);
  await page.getByTestId('view-rollout').click();
  await openRolloutTab(page, 'New plan');
  await page.locator('[data-gate="bench"][data-passed="true"]').waitFor();
  const listed = 'SENSOR-1-SIM-HTTP-00001';
  await page.getByTestId('plan-whitelist').fill(`${listed}\nSENSOR-1-SIM-HTTP-00002`);
  await page.getByTestId('plan-blacklist').fill(listed);
  await page.locator('[data-skip="blacklisted"]').getByText(listed).waitFor();
  await page.getByTestId('both-lists').getByText('1 on both lists').waitFor();
  await page.getByTestId('plan-whitelist').fill('');
  const telecom = page.locator('[data-skip="chinaTelecom"]');
  await telecom.getByText('On a China Telecom SIM, which cannot be upgraded').waitFor();
  expect(await telecom.textContent()).toMatch(/: 2 .*SENSOR-1-SIM-\w+-\d+, SENSOR-1-SIM-\w+-\d+/);
  await expect
    .poll(() => page.getByTestId('scope').textContent())
    .toMatch(/^Full package0Delta package17Skipped3/);
  await inspectView(page, 'rollout-editor');
});

test('publishing asks for the version, and then every device is upgraded', async () => {
  await page.getByTestId('plan-publish').click();
  await page.getByTestId('publish-version').fill('1.1');
  expect(await page.getByTestId('publish-confirm').isDisabled()).toBe(true);
  await inspectView(page, 'rollout-publish');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await publish();
  await shown(count('upgraded'), '17');
  await planState('Ended');
  await page.getByTestId('success-rate').getByText('100 % of 17 finished').waitFor();
  const devices = page.getByTestId('rollout-devices');
  await devices.getByText('Upgrade succeeded').first().waitFor();
  expect(await devices.getAttribute('aria-rowcount')).toBe('18');
  await inspectView(page, 'rollout-live');
});

test('devices are found by state and by id', async () => {
  await page.getByTestId('rollout-search').fill('HTTP-00007');
  const devices = page.getByTestId('rollout-devices');
  await expect.poll(() => devices.getAttribute('aria-rowcount')).toBe('2');
  await page.getByTestId('rollout-search').fill('');
  await page.getByTestId('rollout-state').click();
  await page.getByRole('option', { name: 'Failed' }).click();
  await devices.getByText('No device of this rollout matches.').waitFor();
  await page.getByTestId('rollout-state').click();
  await page.getByRole('option', { name: 'Every state' }).click();
  await expect.poll(() => devices.getAttribute('aria-rowcount')).toBe('18');
});

test('the history is a chart for the mouse and the keyboard, and a table', async () => {
  await page.getByText('Over time', { exact: true }).click();
  const chart = page.getByTestId('history-chart');
  await chart.locator('canvas').waitFor();
  await chart.focus();
  await page.keyboard.press('Home');
  await page
    .getByTestId('history-readout')
    .getByText('0 upgraded, 0 upgrading, 0 failed, 17 not upgraded')
    .waitFor();
  await page.keyboard.press('End');
  await page.getByTestId('history-readout').getByText('17 upgraded').waitFor();
  expect(await chart.getAttribute('aria-valuetext')).toContain('17 upgraded');
  await inspectView(page, 'rollout-history');
  await page.getByTestId('history-form').getByText('Table').click();
  await page.getByTestId('history-table').getByRole('gridcell', { name: '17' }).first().waitFor();
  await page.getByText('Reasons', { exact: true }).click();
  await page.locator('[data-skip="chinaTelecom"]').waitFor();
  await inspectView(page, 'rollout-reasons');
});

test('a suspended plan reaches no further device until it is resumed', async () => {
  await stopFleet();
  await startFleet();
  await stopFleet();
  await openRolloutTab(page, 'New plan');
  await page.getByTestId('plan-name').fill('Second try');
  await expect
    .poll(() => page.getByTestId('scope').textContent())
    .toMatch(/^Full package0Delta package18Skipped2/);
  await publish();
  await shown(count('notUpgraded'), '18');
  await page.getByTestId('plan-suspend').click();
  await planState('Suspended');
  await startFleet();
  await openRolloutTab(page, 'Plans');
  await page.waitForTimeout(3000);
  expect(await count('notUpgraded').textContent()).toBe('18');
  await inspectView(page, 'rollout-suspended');
  await page.getByTestId('plan-resume').click();
  await shown(count('upgraded'), '18');
  await planState('Ended');
});

test('terminating spells out what becomes of the devices, and is for good', async () => {
  await stopFleet();
  await startFleet();
  await stopFleet();
  await openRolloutTab(page, 'New plan');
  await page.getByTestId('plan-name').fill('Third try');
  await page.getByTestId('plan-save').click();
  await page.getByTestId('plan-delete').click();
  await page.getByText('It was never published').waitFor();
  await page.getByTestId('plan-delete-confirm').click();
  await page.getByTestId('plans').getByText('Third try').waitFor({ state: 'hidden' });
  await openRolloutTab(page, 'New plan');
  await page.getByTestId('plan-name').fill('Third try');
  await page.getByTestId('plan-save').click();
  await page.getByTestId('plan-publish').waitFor();
  await inspectView(page, 'rollout-saved');
  await publish();
  await shown(count('notUpgraded'), '18');
  await page.getByTestId('plan-terminate').click();
  await page
    .getByTestId('terminate-consequence')
    .getByText('Not begun: will count as failed')
    .waitFor();
  await inspectView(page, 'rollout-terminate');
  await page.getByTestId('terminate-confirm').click();
  await planState('Terminated');
  await shown(count('failed'), '18');
  await page.getByText('Reasons', { exact: true }).click();
  await page.getByText('18 × terminated').waitFor();
  expect(await page.getByTestId('plan-resume').count()).toBe(0);
});

test('while the cloud is stopped the rollout stands still, and is there again afterwards', async () => {
  await page.getByTestId('stop-cloud').click();
  await page.getByText('The local cloud is stopped, so this rollout stands still.').waitFor();
  await page.waitForTimeout(1500);
  const status = await page.evaluate(() => window.slipway.call('cloud.status', {}));
  expect(status).toMatchObject({ ok: true, value: { running: false } });
  await page.getByTestId('start-cloud').click();
  await planState('Terminated');
  await shown(count('failed'), '18');
});

test('the rollouts are part of the evidence', async () => {
  await page.getByTestId('view-evidence').click();
  await page.getByTestId('record').getByText('Rollouts (3)').waitFor();
  await page.getByTestId('evidence-export').click();
  await page.getByTestId('verify-exported').click();
  await page.getByTestId('verify').getByText('Intact').waitFor();
  await inspectView(page, 'evidence-rollouts');
});

test('a table of 9,900 devices is imported, rolled out, and scrolls', async () => {
  await page.getByTestId('view-rollout').click();
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByTestId('import-open').click();
  const rows = Array.from({ length: 9900 }, (_row, at) => `bulk-${at},http,,,bulk`);
  await paste(page.getByTestId('import-text'), ['id,transport,,,batch', ...rows].join('\n'));
  await page.getByTestId('import-run').click();
  await page.getByTestId('import-result').getByText('9,900 devices added').waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByText('Devices (9,920)').waitFor();
  await openRolloutTab(page, 'New plan');
  await page.getByTestId('plan-name').fill('Everyone');
  // The table tells no versions, and none of these devices was ever heard.
  await page.locator('[data-skip="neverReported"]').waitFor();
  await page.getByTestId('plan-never-reported').setChecked(true, { force: true });
  await paste(
    page.getByTestId('plan-blacklist'),
    Array.from({ length: 20 }, (_row, at) => {
      const transport = at < 10 ? 'HTTP' : 'MQTT';
      return `SENSOR-1-SIM-${transport}-${String((at % 10) + 1).padStart(5, '0')}`;
    }).join('\n'),
  );
  await expect
    .poll(() => page.getByTestId('scope').textContent())
    .toMatch(/^Full package9,900Delta package0Skipped20/);
  await publish();
  const grid = page.getByTestId('rollout-devices');
  await expect.poll(() => grid.getAttribute('aria-rowcount'), { timeout: 20_000 }).toBe('9901');
  await grid.focus();
  await page.keyboard.press('End');
  await grid.getByText('bulk-9899').waitFor();
  const frames = await scrollFrames();
  expect(await grid.getByRole('row').count()).toBeLessThan(80);
  process.stdout.write(
    `9,900 rows: median frame ${frames.medianMs.toFixed(1)} ms, 95th percentile ${frames.p95Ms.toFixed(1)} ms\n`,
  );
  expect(frames.medianMs).toBeLessThan(100);
  await inspectView(page, 'rollout-9900');
});

/** Pastes as a person does: the clipboard and the keyboard. */
async function paste(field: Locator, text: string): Promise<void> {
  await page.evaluate((value) => navigator.clipboard.writeText(value), text);
  await field.focus();
  await page.keyboard.press('Control+V');
}

/** Scrolls through the whole grid for two seconds and measures the time between frames. */
function scrollFrames(): Promise<{ medianMs: number; p95Ms: number }> {
  return page.getByTestId('rollout-devices').evaluate(async (grid) => {
    const gaps: number[] = [];
    let last = performance.now();
    const beganMs = last;
    const most = grid.scrollHeight - grid.clientHeight;
    while (last - beganMs < 2000) {
      grid.scrollTop = most * Math.abs(Math.cos((last - beganMs) / 600));
      const now = await new Promise<number>((done) => requestAnimationFrame(done));
      gaps.push(now - last);
      last = now;
    }
    gaps.sort((one, other) => one - other);
    const at = (share: number): number => gaps[Math.floor(share * gaps.length)] ?? Infinity;
    return { medianMs: at(0.5), p95Ms: at(0.95) };
  });
}

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
