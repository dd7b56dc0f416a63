import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pacedBoard } from '../support/paced-board.ts';
import { espImage } from '../support/esp-images.ts';
import { inspectView, openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
});
afterAll(() => studio?.close());

test('the bench shows the footprint and the policy before anything is flashed', async () => {
  await page.getByTestId('view-bench').click();
  await page.getByTestId('footprint').waitFor();
  expect(await page.getByTestId('footprint').textContent()).toBe(
    'Writes 12.1 KiB. Erases 13 pages of 1.0 KiB, 0x0800_0000 to 0x0800_33FF, on the STM32F103 medium-density.',
  );
  expect(await page.getByTestId('bench-policy').textContent()).toBe(
    '0 of 1 required runs passed for this exact image.',
  );
  await inspectView(page, 'bench-empty');
});

test('a virtual board is flashed, boots the new version, and its recording can be read', async () => {
  await page.getByTestId('start-virtual').click();
  await page.getByText('Virtual STM32F103 board').waitFor();
  await page.getByTestId('flash').click();
  const result = page.getByTestId('bench-result');
  await result.getByText('1.1.0, as expected').waitFor();
  await result.getByText('STM32F103 medium-density').waitFor();
  await page
    .getByTestId('bench-policy')
    .getByText('1 of 1 required runs passed for this exact image.')
    .waitFor();
  const recording = page.getByTestId('recording');
  await recording.getByText('version 1.1.0').waitFor();
  await recording.getByText('verified 12440 bytes by read-back').waitFor();
  await inspectView(page, 'bench');
  await recording.getByText('Every byte').click();
  await recording.getByText('7f', { exact: true }).waitFor();
  expect(await recording.getByRole('row').count()).toBeLessThan(80);
  await inspectView(page, 'bench-bytes');
});

test('a board that boots another version than expected fails the run', async () => {
  await page.getByLabel('Version that must boot').fill('9.9.9');
  await page.getByTestId('flash').click();
  await page.getByTestId('bench-result').getByText('1.1.0, not the expected version').waitFor();
  await page.getByTestId('bench-runs').getByText('Failed').waitFor();
  await page
    .getByTestId('bench-policy')
    .getByText('1 of 1 required runs passed for this exact image.')
    .waitFor();
});

test('any image file can be flashed; its run is no part of the release', async () => {
  const large = join(studio.folder, 'large.bin');
  await writeFile(large, Buffer.alloc(1024 * 1024 + 4, 1));
  await chooseFile(large);
  await page.getByRole('alert').getByText('The image does not fit').waitFor();
  await studio.answerDialog([join(studio.folder, 'firmware/sensor-1.0.0.s19')]);
  await page.getByTestId('bench-file-pick').click();
  await page.getByTestId('footprint').getByText('once the chip has answered').waitFor();
  await page.getByLabel('Version that must boot').fill('1.0.0');
  await page.getByTestId('flash').click();
  await page.getByTestId('bench-result').getByText('1.0.0, as expected').waitFor();
  await page.getByTestId('bench-runs').getByText('sensor-1.0.0.s19 (a file)').waitFor();
  await page.getByTestId('bench-image').click();
  await page.getByRole('option', { name: 'STM32 1.1.0' }).click();
  expect(await page.getByLabel('Version that must boot').inputValue()).toBe('1.1.0');
});

test('a port that cannot be opened is told with what to do, and the failed run is kept', async () => {
  const runs = page.getByTestId('bench-runs').getByRole('row');
  const before = await runs.count();
  await page
    .getByLabel(/Virtual STM32F103 board/)
    .first()
    .uncheck();
  await page.getByLabel('Path of the port').fill('/dev/no-such-port');
  await page.getByTestId('flash').click();
  await page.getByRole('alert').getByText('/dev/no-such-port').first().waitFor();
  await expect.poll(() => runs.count()).toBe(before + 1);
  await page.getByTestId('bench-result').getByText('not identified').waitFor();
  await inspectView(page, 'bench-problem');
});

test('a flash shows its progress and can be cancelled, with what that leaves on the board', async () => {
  const board = await pacedBoard(join(studio.folder, 'board'));
  try {
    const image = join(studio.folder, 'slow.bin');
    await writeFile(image, randomBytes(48 * 1024));
    await chooseFile(image);
    await page.getByLabel('Path of the port').fill(board.path);
    await page.getByTestId('flash').click();
    const progress = page.getByTestId('flash-progress');
    await progress.getByText('Writing').waitFor();
    await progress.getByText(/ %, .* KiB of 48.0 KiB, .* KiB\/s, .* left/).waitFor();
    await page.screenshot({ path: 'test/artifacts/bench-progress.png' });
    await page.getByRole('button', { name: 'Cancel' }).first().click();
    await page.getByText('Flashing was cancelled').waitFor();
    await page.getByText('may hold only a part of the image').waitFor();
    expect(await page.getByTestId('flash').isEnabled()).toBe(true);
  } finally {
    await board.stop();
  }
});

test('two boards of another kind are flashed at once, each with its own run', async () => {
  const image = join(studio.folder, 'app.bin');
  await writeFile(image, espImage({ version: '3.1.0' }));
  await chooseFile(image);
  await page.getByLabel('Path of the port').fill('');
  await page.getByRole('combobox', { name: 'Kind of virtual board' }).click();
  await page.getByRole('option', { name: 'ESP32' }).click();
  const boards = page.getByRole('group', { name: 'Boards to flash' }).getByRole('checkbox');
  for (const board of await boards.all()) await board.uncheck();
  for (const count of [1, 2]) {
    await page.getByTestId('start-virtual').click();
    await page
      .getByLabel(`Virtual ESP32 board, virtual:esp32-`)
      .nth(count - 1)
      .waitFor();
  }
  await page.getByText('Flash 2 boards').waitFor();
  await page.getByLabel('Version that must boot').fill('3.1.0');
  const runs = page.getByTestId('bench-runs').getByRole('row');
  const before = await runs.count();
  await page.getByTestId('flash').click();
  await expect.poll(() => runs.count(), { timeout: 30_000 }).toBe(before + 2);
  await page.getByTestId('bench-result').getByText('3.1.0, as expected').waitFor();
  await page.getByTestId('bench-result').getByText('24:0a:12:c4:8e:').waitFor();
  await inspectView(page, 'bench-gang');
});

async function chooseFile(path: string): Promise<void> {
  await page.getByTestId('bench-image').click();
  await page.getByRole('option', { name: 'A file…' }).click();
  await studio.answerDialog([path]);
  await page.getByTestId('bench-file-pick').click();
}

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
