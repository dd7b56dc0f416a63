import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

test('evidence shows what the record holds, is exported, and verifies', async () => {
  await flashVirtualBoard(page);
  await page.getByTestId('view-evidence').click();
  const record = page.getByTestId('record');
  await record.getByText('Version packages (2)').waitFor();
  await record.getByText('Deltas proven (1)').waitFor();
  await record.getByText('Bench runs (1)').waitFor();
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
  const edited = join(studio.folder, 'edited.evidence.json');
  const good = await readFile(join(studio.folder, 'evidence/SENSOR-1-1.1.0.evidence.json'), 'utf8');
  const changed = good.replace('STM32F103 medium-density', 'STM32F103 medium-densitY');
  expect(changed).not.toBe(good);
  await writeFile(edited, changed);
  await studio.answerDialog([edited]);
  await page.getByTestId('evidence-file-pick').click();
  await page.getByTestId('verify').getByText('Damaged or edited').waitFor();
  await page.locator('[data-check="digest"][data-passed="false"]').waitFor();
  await inspectView(page, 'evidence-edited');
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
