import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkImage } from '../support/linked-images.ts';
import { sRecords } from '../support/s-records.ts';
import { inspectView, openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;
let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
  folder = join(studio.folder, 'images');
  await mkdir(folder);
  await page.getByTestId('view-delta').click();
});
afterAll(() => studio?.close());

const cursor = () => page.getByTestId('hex-cursor');

/** Compares two files through the dialogs. */
async function compare(old: string, newer: string): Promise<void> {
  await studio.answerDialogs([old, newer]);
  await page.getByTestId('compare-files').click();
  await page.getByText(`${old.split('/').pop()} with ${newer.split('/').pop()}`).waitFor();
}

test('a source version is compared with the target from its row', async () => {
  await page.getByTestId('delta-compare').click();
  await page.getByText('STM32 1.0.0 with STM32 1.1.0').waitFor();
  const summary = await page.getByTestId('diff-summary').innerText();
  expect(summary).toContain('28 added, 0 removed');
  expect(summary).toContain('4 of 4 sectors touched');
  expect(summary).toContain('both at the start of the memory region');
  await cursor().getByText('0x0800_0000: 00 in both').waitFor();
});

test('keys move through the bytes, from change to change and to an address', async () => {
  const panes = page.getByTestId('hex-panes');
  await panes.focus();
  await page.keyboard.press('n');
  await cursor().getByText('0x0800_008C: old').waitFor();
  await page.keyboard.press('F7');
  await cursor().getByText('0x0800_00A2: old').waitFor();
  await page.keyboard.press('Shift+F7');
  await cursor().getByText('0x0800_008C: old').waitFor();
  await page.keyboard.press('p');
  await cursor().getByText('No change before this.').waitFor();
  await page.keyboard.press('ArrowDown');
  await cursor().getByText('0x0800_009C').waitFor();
  await page.keyboard.press('Home');
  await cursor().getByText('0x0800_0090').waitFor();
  await page.keyboard.press('Control+End');
  await cursor().getByText('0x0800_309F').waitFor();
  await page.keyboard.press('PageUp');
  await cursor()
    .getByText(/0x0800_2F/)
    .waitFor();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('g');
  await page.keyboard.type('0x0800_1234');
  await page.keyboard.press('Enter');
  await cursor().getByText('0x0800_1234').waitFor();
  expect(await panes.evaluate((element) => element === document.activeElement)).toBe(true);
});

test('an address that cannot be gone to is told, and the place stays', async () => {
  const input = page.getByTestId('go-to');
  await input.fill('2000_0000');
  await input.press('Enter');
  await page
    .getByRole('alert')
    .getByText('0x2000_0000 is outside: the images go from 0x0800_0000 to 0x0800_309F.')
    .waitFor();
  await input.fill('main');
  await input.press('Enter');
  await page.getByRole('alert').getByText('Type an address in hexadecimal').waitFor();
  await cursor().getByText('0x0800_1234').waitFor();
  await input.fill('');
});

test('panes, strip and tables are readable in both themes', async () => {
  await page.getByTestId('hex-panes').focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('n');
  await page.getByTestId('diff-runs').getByText('0x0800_008C').waitFor();
  await inspectView(page, 'delta-diff');
  await page.getByRole('tab', { name: /Sectors/ }).click();
  await page.getByText('4 of 4 sectors of 4,096 bytes touched').waitFor();
});

test('the operations of the recorded delta are listed, and lead to their bytes', async () => {
  await page.getByRole('tab', { name: 'Patch' }).click();
  const grid = page.getByTestId('patch-operations');
  await grid.getByText('source 0x0000_0000').waitFor();
  await page.getByText('7 operations').waitFor();
  await grid.focus();
  await page.keyboard.press('End');
  await inspectView(page, 'delta-diff-patch');
});

test('the rows in sight are there as a table that is read out', async () => {
  await page.getByTestId('go-to').fill('0x08000080');
  await page.getByTestId('go-to').press('Enter');
  await page.getByTestId('hex-as-table').click();
  const row = page.getByTestId('hex-table').getByRole('row', { name: /0x0800_0080/ });
  const cells = await row.getByRole('cell').allInnerTexts();
  expect(cells[0]).toMatch(/^([0-9A-F]{2} ){15}[0-9A-F]{2}$/);
  expect(cells[2]).toMatch(/^\+0C [0-9A-F]{2} to [0-9A-F]{2}$/);
  await inspectView(page, 'delta-diff-table');
  await page.getByTestId('hex-as-table').click();
  await page.getByTestId('diff-close').click();
  await page.getByTestId('delta-grid').waitFor();
});

test('images with gaps and of other formats are compared, and ELF files name what changed', async () => {
  const flash = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 37) % 251));
  const newer = Buffer.from(flash);
  newer.fill(0xff, 300, 340);
  const options = Buffer.alloc(16, 0x5a);
  await writeFile(at('old.s19'), sRecords([0x0800_0000, flash], [0x1fff_f800, options]));
  await writeFile(at('new.s19'), sRecords([0x0800_0000, newer.subarray(0, 4900)]));
  await compare(at('old.s19'), at('new.s19'));
  const summary = await page.getByTestId('diff-summary').innerText();
  expect(summary).toContain('40 bytes changed, 0 added, 116 removed, 4,860 the same, in 3 runs');
  await page.getByText('2 areas, parted by dashed lines').waitFor();
  await page.getByTestId('diff-runs').getByText('0x1FFF_F800').click();
  await cursor().getByText('0x1FFF_F800: old 5A Z, new none').waitFor();
  await page.getByRole('tab', { name: 'Symbols' }).click();
  await page.getByText('Sections and symbols are told when').waitFor();

  const code = (body: string) => [
    { name: 'start', type: 'function', section: '.text', body } as const,
    { name: 'read_sensor', type: 'function', section: '.text', body: '.fill 400, 1, 6' } as const,
  ];
  const elfs = [
    linkImage(folder, 'old', code('.fill 64, 1, 1')),
    linkImage(folder, 'new', code('.fill 96, 1, 1')),
  ];
  await studio.answerDialogs(elfs);
  await page.getByTestId('add-elf').click();
  const symbols = page.getByRole('tab', { name: 'Symbols' });
  await page.getByTestId('add-elf').waitFor({ state: 'hidden' });
  await symbols.click();
  await page.getByTestId('diff-symbols').getByText('read_sensor').waitFor();
  await page.getByText('1 resized, 1 moved.').waitFor();
  await page.getByRole('tab', { name: 'Changes' }).click();
  await page.getByTestId('diff-runs').getByText('read_sensor').first().waitFor();
  await page.getByTestId('diff-runs').getByText('0x1FFF_F800').click();
  await inspectView(page, 'delta-diff-areas');
});

test('the smallest window shows all of it, without the column of text', async () => {
  await studio.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.setContentSize(1024, 700),
  );
  await expect.poll(() => page.evaluate(() => window.innerWidth)).toBe(1024);
  await page.getByTestId('go-to').fill('0x0900_0000');
  await page.getByTestId('go-to').press('Enter');
  await page.getByText('Neither image has bytes at 0x0900_0000').waitFor();
  await page.getByRole('tab', { name: 'Symbols' }).click();
  const hidden = await page
    .locator('main')
    .evaluate((main) => [
      main.scrollWidth - main.clientWidth,
      main.scrollHeight - main.clientHeight,
    ]);
  expect(hidden).toEqual([0, 0]);
  const clipped = await page
    .getByTestId('hex-as-table')
    .evaluate((button) => button.scrollWidth - button.clientWidth);
  expect(clipped).toBe(0);
  const panes = await page.getByTestId('hex-panes').boundingBox();
  expect(panes?.height).toBeGreaterThan(150);
  await page.screenshot({ path: 'test/artifacts/delta-diff-small.png' });
  await studio.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.setContentSize(1280, 800),
  );
});

test('files that cannot be compared are told, and the comparison that is open stays', async () => {
  await writeFile(at('empty.bin'), '');
  await studio.answerDialogs([at('empty.bin'), at('old.s19')]);
  await page.getByTestId('compare-files').click();
  await page.getByText('The image is empty').waitFor();
  expect(await page.getByTestId('diff-summary').isVisible()).toBe(true);
});

test('wheel, scroll bar, strip and clicks move both panes through 20 MB', async () => {
  const bytes = Buffer.alloc(20_000_000, 1);
  await writeFile(at('a.bin'), bytes);
  bytes.fill(0x41, 10_000_000, 10_000_016);
  await writeFile(at('b.bin'), bytes);
  await compare(at('a.bin'), at('b.bin'));
  const bar = page.getByRole('scrollbar');
  const topRow = async (): Promise<number> => Number(await bar.getAttribute('aria-valuenow'));
  await page.getByTestId('hex-panes').hover();
  await page.mouse.wheel(0, 180);
  await expect.poll(topRow).toBe(10);
  const strip = page.getByTestId('density-strip');
  const width = (await strip.boundingBox())?.width ?? 0;
  await strip.click({ position: { x: width / 2, y: 10 } });
  await expect.poll(topRow).toBeGreaterThan(600_000);
  expect(await topRow()).toBeLessThan(650_000);
  await strip.press('End');
  await expect.poll(topRow).toBe(Number(await bar.getAttribute('aria-valuemax')));
  const box = await bar.boundingBox();
  await page.mouse.click((box?.x ?? 0) + 5, (box?.y ?? 0) + 2);
  await expect.poll(topRow).toBe(0);
  await page.getByTestId('next-change').click();
  await cursor().getByText('0x0098_9680: old 01, new 41 A').waitFor();
  // The byte behind the one under the cursor, which is drawn three characters further.
  await page.getByTestId('hex-panes').click({ position: { x: 115, y: 60 } });
  await cursor()
    .getByText(/^0x0098_9[0-9A-F]{2}1: 01 in both/)
    .waitFor();
});

test('bytes of a file that was changed behind the view are asked for again, not invented', async () => {
  await writeFile(at('c.bin'), Buffer.alloc(20_000_000, 1));
  await writeFile(at('d.bin'), Buffer.alloc(20_000_000, 1));
  await compare(at('c.bin'), at('d.bin'));
  await page.getByText('No difference in 20,000,000 bytes, both by file offsets.').waitFor();
  await cursor().getByText('01 in both').waitFor();
  await writeFile(at('d.bin'), Buffer.alloc(20_000_000, 2));
  await page.getByTestId('hex-panes').focus();
  await page.keyboard.press('Control+End');
  await page.getByText('A compared file was changed').waitFor();
});

test('nothing broke the content security policy or the page', () => {
  expect(studio.complaints).toEqual([]);
});
