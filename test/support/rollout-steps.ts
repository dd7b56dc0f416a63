import type { Page } from 'playwright-core';

/** Opens a part of the rollout view. */
export const openRolloutTab = (
  page: Page,
  name: 'Plans' | 'New plan' | 'Devices and cloud',
): Promise<void> => page.getByRole('tab', { name }).click();

/** Goes to the devices of the rollout view and starts the local cloud there. */
export async function startLocalCloud(page: Page): Promise<void> {
  await page.getByTestId('view-rollout').click();
  await openRolloutTab(page, 'Devices and cloud');
  await page.getByTestId('start-cloud').click();
  await page.getByTestId('cloud-addresses').getByText('http://127.0.0.1').waitFor();
}

/** Publishes the plan in the editor, whose version is 1.1.0. */
export async function publishPlan(page: Page): Promise<void> {
  await page.getByTestId('plan-publish').click();
  await page.getByTestId('publish-version').fill('1.1.0');
  await page.getByTestId('publish-confirm').click();
}
