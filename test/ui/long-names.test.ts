import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStudioWindow, type StudioWindow } from '../support/studio-window.ts';

const longName = 'A sensor whose name says all that it measures '.repeat(5).slice(0, 200).trim();

let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openStudioWindow({
    change: (yaml) => yaml.replace('Slipway sample sensor', longName),
  });
  ({ page } = studio);
  await page.getByTestId('new-release').click();
  await page.getByTestId('release-version').fill(`1.0.0-${'x'.repeat(40)}`);
  await page.getByTestId('create-release').click();
  await page.getByTestId('create-release').waitFor({ state: 'hidden' });
  await page.getByTestId('view-rollout').click();
  await page.getByTestId('start-cloud').click();
  await page.getByTestId('stop-cloud').waitFor();
});
afterAll(() => studio?.close());

test.each([
  [1024, 700],
  [1600, 1000],
])('a name of 200 letters moves nothing out of a window of %i × %i', async (width, height) => {
  await studio.app.evaluate(
    ({ BrowserWindow }, [wide, high]) =>
      BrowserWindow.getAllWindows()[0]?.setContentSize(wide as number, high as number),
    [width, height],
  );
  await expect.poll(() => page.evaluate(() => window.innerWidth)).toBe(width);
  for (const view of ['releases', 'bundle', 'delta', 'bench', 'rollout', 'evidence', 'settings']) {
    await page.getByTestId(`view-${view}`).click();
    const shown = page.getByTestId(`${view}-view`);
    await shown.waitFor();
    await shown.getByRole('heading', { level: 1 }).waitFor();
    const hidden = await page
      .locator('main')
      .evaluate((main) => main.scrollWidth - main.clientWidth);
    expect(hidden, `${view} is wider than the window`).toBe(0);
    for (const button of await shown.getByRole('button').all()) {
      const box = await button.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 0), await button.innerText()).toBeLessThan(width);
    }
  }
});
