import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  answerFileDialog,
  inspectView,
  openRoomsWindow,
  type RoomsWindow,
} from '../support/rooms-window.ts';

let rooms: RoomsWindow;
let page: Page;
const consoleProblems: string[] = [];

beforeAll(async () => {
  rooms = await openRoomsWindow();
  ({ page } = rooms);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) consoleProblems.push(message.text());
  });
  page.on('pageerror', (error) => consoleProblems.push(String(error)));
});
afterAll(() => rooms?.close());

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

test('a port that cannot be opened is told with what to do, and nothing is recorded', async () => {
  const runs = page.getByTestId('bench-runs').getByRole('row');
  const before = await runs.count();
  await page.getByLabel('Path of the port').fill('/dev/no-such-port');
  await page.getByTestId('flash').click();
  await page.getByRole('alert').getByText('/dev/no-such-port').first().waitFor();
  expect(await runs.count()).toBe(before);
  await inspectView(page, 'bench-problem');
});

test('evidence shows what the record holds, is exported, and verifies', async () => {
  await page.getByTestId('view-evidence').click();
  const record = page.getByTestId('record');
  await record.getByText('Version packages (2)').waitFor();
  await record.getByText('Deltas proven (1)').waitFor();
  await record.getByText('Bench runs (2)').waitFor();
  await record.getByText('Rollouts (0)').waitFor();
  await record.getByText('It is unsigned').waitFor();
  await inspectView(page, 'evidence-empty');
  await page.getByTestId('evidence-export').click();
  await page.getByTestId('verify-exported').click();
  const report = page.getByTestId('verify-report');
  await report.locator('[data-check="digest"][data-passed="true"]').waitFor();
  expect(await report.locator('[data-passed="false"]').count()).toBe(0);
  await inspectView(page, 'evidence');
});

test('an edited record is found out by the check that failed', async () => {
  const edited = join(rooms.folder, 'edited.evidence.json');
  const good = await readFile(join(rooms.folder, 'evidence/SENSOR-1-1.1.0.evidence.json'), 'utf8');
  await writeFile(edited, good.replace('"passed":false', '"passed":true '));
  await answerFileDialog(rooms.app, edited);
  await page.getByTestId('evidence-file-pick').click();
  await page.getByTestId('verify').getByText('Damaged or edited').waitFor();
  await page.locator('[data-check="bytes"][data-passed="false"]').waitFor();
  await inspectView(page, 'evidence-edited');
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(consoleProblems).toEqual([]);
});
