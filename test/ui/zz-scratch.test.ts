import type { Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { inspectView, openRoomsWindow, type RoomsWindow } from '../support/rooms-window.ts';
let rooms: RoomsWindow;
let page: Page;
beforeAll(async () => {
  rooms = await openRoomsWindow();
  ({ page } = rooms);
  page.on('console', (m) => console.log(m.type(), m.text()));
  page.on('pageerror', (e) => console.log('PAGEERROR', e));
  page.setDefaultTimeout(8000);
});
afterAll(() => rooms?.close());
const soft = async (name: string) => {
  try {
    await inspectView(page, name);
  } catch (e) {
    console.log(
      name,
      String(e).slice(0, 300) + JSON.stringify((e as { actual?: unknown }).actual ?? ''),
    );
  }
};
test('look', async () => {
  await page.getByTestId('nav-rollout').click();
  await page.getByTestId('no-plans').waitFor();
  await soft('rollout-empty');
  await page.getByRole('tab', { name: 'New plan' }).click();
  await page.getByTestId('plan-name').waitFor();
  await soft('rollout-editor-stopped');
  await page.getByTestId('start-cloud').click();
  await page.getByTestId('plan-check').getByText('closed').first().waitFor();
  await soft('rollout-editor-closed');
  await page.getByRole('tab', { name: 'Devices and cloud' }).click();
  await soft('rollout-devices-empty');
  await page.getByTestId('fleet-http').fill('6000');
  await page.getByTestId('fleet-mqtt').fill('3000');
  await page.getByTestId('fleet-telecom').fill('37');
  await page.getByTestId('fleet-start').click();
  await page.getByTestId('fleet-status').waitFor();
  await page.getByText('Devices (9,000)').waitFor();
  await page.waitForTimeout(500);
  await soft('rollout-devices');
  await page.getByTestId('import-open').click();
  await page
    .getByTestId('import-text')
    .fill(
      'id,transport,imsi,iccid,batch\nreal-1,http,46003123456,,B1\nreal-2,smoke,,,\nreal-3,mqtt,,8.98603E+19,B2',
    );
  await page.getByTestId('import-run').waitFor();
  await page.waitForTimeout(500);
  await soft('rollout-import');
  await page.getByTestId('import-run').click();
  await page.getByTestId('import-result').waitFor();
  await soft('rollout-imported');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByTestId('nav-bench').click();
  await page.getByTestId('start-virtual').click();
  await page.getByTestId('flash').click();
  await page.getByTestId('bench-result').waitFor();
  await page.getByTestId('nav-rollout').click();
  await page.getByRole('tab', { name: 'New plan' }).click();
  await page.getByTestId('plan-blacklist').fill('sim-http-00100\nsim-http-00101\nreal-1');
  await page.getByTestId('plan-whitelist').fill('');
  await page.getByTestId('plan-check').getByText('On the blacklist').waitFor();
  await page.waitForTimeout(1500);
  await soft('rollout-editor');
  await page.getByTestId('plan-publish').click();
  await page.getByTestId('publish-version').fill('1.1.');
  await page.waitForTimeout(400);
  await soft('rollout-publish');
  await page.getByTestId('publish-version').fill('1.1.0');
  await page.getByTestId('publish-confirm').click();
  await page.getByTestId('live-plan').waitFor();
  await page.waitForTimeout(5000);
  await soft('rollout-live');
  await page.getByText('Over time', { exact: true }).click();
  await page.waitForTimeout(1500);
  await soft('rollout-history');
  await page.getByText('Table', { exact: true }).click();
  await page.waitForTimeout(500);
  await soft('rollout-table');
  await page.getByText('Reasons', { exact: true }).click();
  await page.waitForTimeout(500);
  await soft('rollout-reasons');
  await page.getByTestId('plan-suspend').click();
  await page.getByTestId('plan-resume').waitFor();
  await page.getByText('Devices', { exact: true }).last().click();
  await soft('rollout-suspended');
  await page.getByTestId('plan-terminate').click();
  await page.waitForTimeout(400);
  await soft('rollout-terminate');
}, 120000);
