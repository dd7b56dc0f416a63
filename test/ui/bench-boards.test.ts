import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { pacedBoard } from '../support/paced-board.ts';
import { inspectView, openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

const policy =
  'bench: { boards: 1, hardwareRevisions: [A, B], withinDays: 7, virtualBoards: true }';
let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openReleasesWindow({
    change: (yaml) => yaml.replace('benchRunsRequired: 1', policy),
    prepare: leaveCutOffRun,
  });
  ({ page } = studio);
});
afterAll(() => studio?.close());

/** What a process leaves that was killed while it flashed the image of release 1.1.0. */
async function leaveCutOffRun(folder: string): Promise<void> {
  const workspace = await Workspace.open(folder);
  const pkg = workspace
    .list('package')
    .find(({ targetVersion, packageType }) => targetVersion === '1.1.0' && packageType === 'full');
  const [file] = pkg?.files ?? [];
  if (!pkg || !file) throw new Error('the sample has no package');
  workspace.put('benchOrder', pkg.releaseId, {
    id: 'cut-off',
    port: join(folder, 'board'),
    protocol: 'stm32',
    packageId: pkg.id,
    expectVersion: '1.1.0',
    hardwareRevision: 'B',
    releaseId: pkg.releaseId,
    imageSha256: file.sha256,
    imageName: file.name,
    startedAt: new Date(Date.now() - 60_000).toISOString(),
    recording: workspace.internal('recordings', 'cut-off.jsonl'),
    // No system gives out this number.
    processId: 2 ** 30,
    step: 'write',
    chip: 'STM32F103 medium-density',
    virtual: true,
  });
  workspace.close();
}

test('a run that a crash cut off is shown as such, and gone on with by one click', async () => {
  await page.getByTestId('view-bench').click();
  await page.getByTestId('bench-runs').getByText('Cut off').waitFor();
  await page.getByTestId('bench-result').getByText('Flashing was interrupted').waitFor();
  await inspectView(page, 'bench-cut-off');
  const board = await pacedBoard(join(studio.folder, 'board'), ['--unit', '7']);
  try {
    await page.getByTestId('resume').click();
    await page.getByTestId('bench-result').getByText('1.1.0, as expected').waitFor();
  } finally {
    await board.stop();
  }
  expect(await page.getByTestId('resume').count()).toBe(0);
});

test('the policy says what is still asked for of each hardware revision', async () => {
  const state = page.getByTestId('bench-policy');
  await state.getByText('The policy asks for 1 board of each hardware revision (A, B)').waitFor();
  await state.getByText('Revision A: 0 of 1 board').waitFor();
  await state.getByText('Which runs count').click();
  await state.getByText('does not count: it ended early: Flashing was interrupted').waitFor();
  await page.getByTestId('start-virtual').click();
  await page.getByText('Virtual STM32F103 board').waitFor();
  await page.getByRole('combobox', { name: 'Hardware revision of the boards' }).click();
  await page.getByRole('option', { name: 'A', exact: true }).click();
  await page.getByTestId('flash').click();
  await state.getByText('Revision A: 1 of 1 board').waitFor();
  await page.getByTestId('bench-result').getByText('Hardware revision').waitFor();
  await inspectView(page, 'bench-policy');
});

test('a board is named once and known by its chip from then on', async () => {
  await page.getByTestId('known-boards').click();
  const dialog = page.getByRole('dialog', { name: 'Known boards' });
  const first = dialog.getByRole('group').filter({ hasText: 'virtual:' });
  await first.getByLabel('Name').fill('left pump');
  await first.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => first.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await inspectView(page, 'bench-known-boards');
  await page.keyboard.press('Escape');
  await page.getByLabel(/^left pump: Virtual STM32F103 board.*revision A$/).waitFor();
});

test('a board that is protected against reading is erased only once its name is typed', async () => {
  const board = await pacedBoard(join(studio.folder, 'locked'), [
    '--unit',
    '9',
    '--fault',
    'read-protected',
  ]);
  try {
    await page.getByLabel(/^left pump/).uncheck();
    await page.getByLabel('Path of the port').fill(board.path);
    await page.getByTestId('flash').click();
    await page.getByTestId('problem').getByText('The board is protected against reading').waitFor();
    await inspectView(page, 'bench-consent');
    const erase = page.getByRole('button', { name: 'Erase everything and flash' });
    expect(await erase.isDisabled()).toBe(true);
    await page.getByLabel('Name of the board to erase').fill(board.path);
    await erase.click();
    await page.getByTestId('bench-result').getByText(`on ${board.path}`).waitFor();
    await page.getByTestId('bench-result').getByText('1.1.0, as expected').waitFor();
  } finally {
    await board.stop();
  }
});

test('the gate of a plan names each run, and why it does not count', async () => {
  await page.getByTestId('view-rollout').click();
  await page.getByRole('tab', { name: 'Devices and cloud' }).click();
  await page.getByTestId('start-cloud').click();
  await page.getByTestId('cloud-addresses').getByText('http://127.0.0.1').waitFor();
  await page.getByRole('tab', { name: 'New plan' }).click();
  const gate = page.locator('[data-gate="bench"]');
  await gate.getByText('revision A 1 of 1 board, revision B 1 of 1 board').waitFor();
  await gate.getByText('Which runs count').click();
  await gate.getByText('it ended early: Flashing was interrupted').waitFor();
  await gate.scrollIntoViewIfNeeded();
  await inspectView(page, 'rollout-bench-gate');
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
