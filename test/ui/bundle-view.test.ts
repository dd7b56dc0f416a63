import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { watchFirstFindings } from '../support/first-findings.ts';
import { openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
  await page.getByTestId('view-bundle').click();
});
afterAll(() => studio?.close());

async function put(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(studio.folder, name);
  await writeFile(path, bytes);
  return path;
}

test('what is known of a file is shown before it is read, and the report takes its place', async () => {
  await studio.answerDialog([
    await put('noise.bin', randomBytes(40_000_000)),
    await put('lost.s19', Buffer.concat([Buffer.from('PK\x03\x04'), randomBytes(20_000_000)])),
  ]);
  const { firstBadges, firstMs, reportMs } = await watchFirstFindings(page, 2);
  expect(firstBadges).toEqual(['Reading', 'Blocked']);
  expect(firstMs).toBeLessThan(reportMs);
  expect(await page.getByTestId('first-findings').count()).toBe(0);
  const cards = page.getByTestId('findings').getByRole('article');
  expect(await cards.getByText('Reading').count()).toBe(0);
  expect(await cards.getByRole('button', { name: /^Copy SHA-256/ }).count()).toBe(2);
  for (const name of ['noise.bin', 'lost.s19']) {
    await page.getByRole('button', { name: `Remove ${name}` }).click();
    await page.getByRole('article', { name }).waitFor({ state: 'hidden' });
  }
});

test('a check that is cancelled says so at each file', async () => {
  const long = await put('long.bin', Buffer.alloc(100_000_000, 'long '));
  await studio.answerDialog([long, long, long, long, long]);
  // From inside the page: a check that is over before the click reaches it cannot be cancelled.
  await page.evaluate(() => {
    const observer = new MutationObserver(() => {
      const button = document.querySelector<HTMLElement>('[data-testid=job-strip] button');
      if (!button || !document.querySelector('[data-testid=first-findings]')) return;
      observer.disconnect();
      button.click();
    });
    observer.observe(document.body, { childList: true, subtree: true });
  });
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByText('The files have not been checked to the end.').waitFor();
  const cards = page.getByTestId('first-findings').getByRole('article', { name: 'long.bin' });
  await cards.first().getByText('Not checked').waitFor();
  expect(await cards.getByText('Not checked').count()).toBe(5);
  expect(await page.getByTestId('bundle-create').isDisabled()).toBe(true);
});

test('nothing broke the content security policy or the page', () => {
  expect(studio.complaints).toEqual([]);
});
