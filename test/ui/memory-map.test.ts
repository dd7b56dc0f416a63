import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sRecords } from '../support/s-records.ts';
import { inspectView, openStudioWindow, type StudioWindow } from '../support/studio-window.ts';

const memory = `memory:
          - { name: boot, start: 0x08000000, sizeBytes: 16384, role: bootloader }
          - { name: slot0, start: 0x08004000, sizeBytes: 229376, role: slot, trailerBytes: 8192 }
          - { name: slot1, start: 0x0803C000, sizeBytes: 229376, role: slot, trailerBytes: 8192 }
          - { name: keys, start: 0x08074000, sizeBytes: 512 }
          - { name: ram, start: 0x20000000, sizeBytes: 65536, role: ram }
      - { id: EC600N, name: Module, type: module }`;

let studio: StudioWindow;
let page: Page;
let map: Locator;

beforeAll(async () => {
  studio = await openStudioWindow({
    change: (yaml) => yaml.replace(/memory:\n\s+- .*/, memory),
  });
  ({ page } = studio);
  map = page.getByTestId('memory-section');
  await page.getByTestId('new-release').click();
  await page.getByTestId('release-version').fill('1.1.0');
  await page.getByTestId('create-release').click();
  await page.getByTestId('create-release').waitFor({ state: 'hidden' });
  await page.getByTestId('view-bundle').click();
});
afterAll(() => studio?.close());

async function pick(...files: readonly (readonly [name: string, text: string])[]): Promise<void> {
  const paths = files.map(([name]) => join(studio.folder, name));
  await Promise.all(files.map(([, text], index) => writeFile(paths[index] ?? '', text)));
  await studio.answerDialog(paths);
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByTestId('findings').waitFor();
}

const image = (sizeBytes: number): Buffer => Buffer.alloc(sizeBytes, 'image 1.1.0 ');

test('without files the regions are there, and nothing of them is used', async () => {
  await map.getByRole('tab').first().waitFor();
  expect(await map.getByRole('tab').allInnerTexts()).toHaveLength(5);
  expect(await map.getByText('0 % used').count()).toBe(5);
  const strips = await map.getByRole('img').all();
  const widths = await Promise.all(strips.map(async (strip) => (await strip.boundingBox())?.width));
  // Flash of 475,648 bytes and RAM of 65,536 at one scale.
  const [flashPx = 0, ramPx = 0] = widths;
  expect(ramPx / flashPx).toBeCloseTo(65_536 / 475_648, 1);
});

test('files in memory, conflicts and what lies outside are told in words, in both themes', async () => {
  await pick(
    ['app.s19', sRecords([0x0800_4000, image(130_000)])],
    ['settings.s19', sRecords([0x0802_3000, image(9000)], [0x0807_f000, image(300)])],
  );
  await map.getByRole('tab', { name: /slot0/ }).click();
  const strip = map.getByTestId('region-strip');
  expect(await strip.getAttribute('aria-label')).toBe(
    'slot0, slot, 0x0800_4000–0x0803_BFFF, 224.0 KiB: 129.8 KiB used, 3.0 KiB claimed twice, 8.0 KiB slot trailer, 83.2 KiB free.',
  );
  await map.getByText('300 bytes of settings.s19 lie in no region').waitFor();
  await map.getByText('Narrower than a pixel at this scale: keys').waitFor();
  await map.scrollIntoViewIfNeeded();
  await inspectView(page, 'memory-map');
});

test('arrow keys walk through the regions, and a table says every run in numbers', async () => {
  await map.getByRole('tab', { name: /slot0/ }).focus();
  await page.keyboard.press('ArrowDown');
  const chosen = map.getByRole('tab', { selected: true });
  expect(await chosen.innerText()).toMatch(/^slot1/);
  await page.keyboard.press('ArrowDown');
  expect(await chosen.innerText()).toMatch(/^keys/);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await map.getByRole('button', { name: 'Show as table' }).click();
  const rows = await map.getByTestId('memory-table').locator('tbody tr').allInnerTexts();
  expect(rows.map((row) => row.replace(/\s+/g, ' ').trim())).toEqual([
    '0x0800_4000 0x0802_2FFF 124.0 KiB, 55.4 % 126,976 bytes A app.s19',
    '0x0802_3000 0x0802_3BCF 3.0 KiB, 1.3 % 3,024 bytes claimed twice: A app.s19, B settings.s19',
    '0x0802_3BD0 0x0802_5327 5.8 KiB, 2.6 % 5,976 bytes B settings.s19',
    '0x0802_5328 0x0803_9FFF 83.2 KiB, 37.1 % 85,208 bytes free',
    '0x0803_A000 0x0803_BFFF 8.0 KiB, 3.6 % 8,192 bytes slot trailer',
  ]);
  await inspectView(page, 'memory-table');
});

test('the map turns to the package that was made, and a component without memory says so', async () => {
  for (const name of ['app.s19', 'settings.s19']) {
    await page.getByRole('button', { name: `Remove ${name}` }).click();
    await page.getByRole('article', { name }).waitFor({ state: 'hidden' });
  }
  await pick(['app.s19', sRecords([0x0800_4000, image(1000)])]);
  await page.getByTestId('bundle-create').click();
  await page.getByTestId('package-card').waitFor();
  await pick(['next.s19', sRecords([0x0800_4000, image(2000)])]);
  const used = map.getByTestId('memory-table').locator('tbody tr').first();
  await used.getByText('next.s19').waitFor();
  await map.getByText('Package 1.1.0').click();
  await used.getByText('app.s19').waitFor();
  await page.getByTestId('component-select').click();
  await page.getByRole('option', { name: 'EC600N, module' }).click();
  await map.getByText('No memory is described for EC600N').waitFor();
});

test('nothing broke the content security policy or the page', () => {
  expect(studio.complaints).toEqual([]);
});
