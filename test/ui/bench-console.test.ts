import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectView, openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;
let lines: Locator;
beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
  lines = page.getByTestId('console-lines');
});
afterAll(() => studio?.close());

async function startBoard(kind: string): Promise<void> {
  await page.getByRole('combobox', { name: 'Kind of virtual board' }).click();
  await page.getByRole('option', { name: kind }).click();
  await page.getByTestId('start-virtual').click();
}

async function send(text: string): Promise<void> {
  await page.getByTestId('console-input').fill(text);
  await page.getByTestId('console-input').press('Enter');
}

async function choose(name: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

const line = (text: string | RegExp) => lines.getByRole('row').filter({ hasText: text });

test('the console of a board is opened from its row, and a line is sent and answered', async () => {
  await page.getByTestId('view-bench').click();
  await page.getByTestId('bench-part').getByText('Console').click();
  await page.getByText('Open the console of a port').waitFor();
  await inspectView(page, 'console-empty');
  await startBoard('Quectel module');
  await page.getByLabel('Open the console of virtual:quectel-1').click();
  await line('virtual:quectel-1 at 115200 baud 8N1').waitFor();
  await choose('What is sent', 'Text + CR');
  await send('ATI');
  await line('Revision: EG800K').waitFor();
  await line('→ ATI').waitFor();
  expect(await page.getByTestId('console-status').textContent()).toMatch(
    /^\d+ B received, 4 B sent\d+ lines kept, \d+ B of 16.0 MiB$/,
  );
});

test('what was sent comes back with the arrow keys', async () => {
  await send('AT+QGMR');
  await line('→ AT+QGMR').waitFor();
  const input = page.getByTestId('console-input');
  await input.press('ArrowUp');
  expect(await input.inputValue()).toBe('AT+QGMR');
  await input.press('ArrowUp');
  expect(await input.inputValue()).toBe('ATI');
  await input.press('ArrowDown');
  await input.press('ArrowDown');
  expect(await input.inputValue()).toBe('');
});

test('words of trouble and rules of one’s own stand out; a filter leaves lines out', async () => {
  await send('AT+NONSENSE');
  await line('ERROR').locator('mark[data-tone="bad"]').first().waitFor();
  await page.getByRole('button', { name: 'Highlight' }).click();
  await page.getByLabel('Text that stands out').fill('Revision');
  await page.getByRole('button', { name: 'Add' }).click();
  await lines.locator('mark[data-tone="info"]').getByText('Revision').first().waitFor();
  await inspectView(page, 'console-rules');
  await page.keyboard.press('Escape');
  await page.getByTestId('console-filter').fill('^(Rev|OK)');
  await page.getByLabel('Regex').check();
  await expect.poll(() => line('Quectel').count()).toBe(0);
  await line('Revision').waitFor();
  await page.getByTestId('console-filter').fill('(');
  await page.getByTestId('console-fault').getByText('The pattern cannot be used').waitFor();
  await page.getByTestId('console-filter').fill('');
  await page.getByLabel('Regex').uncheck();
  await line('Quectel').first().waitFor();
});

test('a text is found with Enter and the keys; the place is shown', async () => {
  await page.getByTestId('console-lines').getByRole('grid').focus();
  await page.keyboard.press('Control+f');
  await page.keyboard.type('EG800K');
  await page.getByText('1 of 3').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('2 of 3').waitFor();
  expect(await lines.locator('[aria-selected="true"]').textContent()).toContain('EG800K');
  await inspectView(page, 'console');
  await page.getByTestId('console-find').fill('');
});

test('bytes are sent and shown in hexadecimal; a wrong one is told with its place', async () => {
  await choose('What is sent', 'Hex bytes');
  const input = page.getByTestId('console-input');
  await input.fill('41 5x');
  await page.getByText('Character 5: “x” is no hexadecimal digit').waitFor();
  expect(await page.getByTestId('console-send').isDisabled()).toBe(true);
  await page.getByText('Hex', { exact: true }).click();
  await send('41 54 0d');
  await line('→ 41 54 0d').waitFor();
  await line(/4f 4b 0d 0a/)
    .first()
    .waitFor();
  await inspectView(page, 'console-hex');
  await page.getByText('Text', { exact: true }).click();
});

test('a capture goes to a file of choice and is whole when it is stopped', async () => {
  const path = join(studio.folder, 'module.log');
  await studio.answerSaveDialog(path);
  await page.getByTestId('console-capture').click();
  await line('Capturing to').waitFor();
  await choose('What is sent', 'Text + CR');
  await send('AT+CGMR');
  await page.getByTestId('console-capture').getByText('Stop the capture').click();
  await line(/Captured \d+ bytes/).waitFor();
  expect(await readFile(path, 'utf8')).toMatch(/Z > AT\+CGMR\n/);
});

test('a board that goes away and modem lines that are missing are told in line', async () => {
  await page.getByLabel('DTR').uncheck();
  await line('DTR 0, RTS 1').waitFor();
  await page.getByLabel('Stop virtual:quectel-1').click();
  await line('The port was lost').waitFor();
  await page.getByText('Port lost').waitFor();
  expect(await page.getByTestId('console-send').isDisabled()).toBe(true);
  await page.getByTestId('console-open').getByText('Close').click();
});

test('a flash borrows the port of an open console, which shows the boot banner', async () => {
  await startBoard('STM32F103');
  await page.getByLabel('Open the console of virtual:stm32-2').click();
  await line('virtual:stm32-2 at').waitFor();
  await page.getByTestId('flash').click();
  await line('Handed over to the flasher').waitFor();
  await line('Flashed: STM32F103 medium-density, verified, booted 1.1.0').waitFor();
  await line('version 1.1.0').waitFor();
  await line('Taken back from the flasher').waitFor();
  await inspectView(page, 'console-flashed');
  await page.getByTestId('console-clear').click();
  await expect.poll(() => line('Handed over').count()).toBe(0);
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
