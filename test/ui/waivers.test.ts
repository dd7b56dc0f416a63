import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectView, openStudioWindow, type StudioWindow } from '../support/studio-window.ts';

const rule = 'secret.url-credentials';
const reason = 'the address is of the test bench, not of a customer';

let studio: StudioWindow;
let page: Page;

beforeAll(async () => {
  studio = await openStudioWindow({
    change: (yaml) =>
      yaml.replace(
        'benchRunsRequired: 1',
        `benchRunsRequired: 1\n      findings: { ${rule}: block, elf.symbols: allow }`,
      ),
  });
  ({ page } = studio);
  await page.getByTestId('view-settings').click();
  await page.getByTestId('view-releases').click();
  await page.getByTestId('new-release').click();
  await page.getByTestId('release-version').fill('2.0.0');
  await page.getByTestId('create-release').click();
  await page.getByTestId('create-release').waitFor({ state: 'hidden' });
  await page.getByTestId('view-bundle').click();
});
afterAll(() => studio?.close());

const content = (tail: string): string =>
  `\x01\x02 version 2.0.0 \x00http://root:hunter22@10.0.0.1/update\x00${tail}`;

async function pick(tail: string): Promise<void> {
  const path = join(studio.folder, 'radio.pack');
  await writeFile(path, content(tail));
  await studio.answerDialog([path]);
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByTestId('findings').waitFor();
}

const verdict = () => page.getByTestId('verdict-panel');
const row = () => page.getByTestId('finding').filter({ hasText: rule });

test('a waivable finding is told with the policy that raised it, and what is not checked apart', async () => {
  await pick('');
  await row().getByText('Warning by itself; the policy says').waitFor();
  await row().getByText(`${rule}: block`).waitFor();
  const layers = page.getByRole('list', { name: 'Layers of validation' });
  expect((await layers.innerText()).replace(/\s+/g, ' ')).toMatch(
    /Container 1 not checked.* Image nothing to tell .*Hygiene 1 blocked/,
  );
  expect(await verdict().innerText()).toContain('1 blocking finding to correct or waive');
  expect(await page.getByTestId('bundle-create').isDisabled()).toBe(true);
  await inspectView(page, 'findings');
});

test('a waiver needs a reason and a name, and says what it is bound to', async () => {
  await row()
    .getByRole('button', { name: `Waive ${rule}` })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('bound to exactly these bytes').waitFor();
  await dialog.getByLabel('Reason').fill('ok');
  await dialog.getByLabel('Your name').fill('Bea Smith');
  expect(await page.getByTestId('waive-submit').isDisabled()).toBe(true);
  await dialog.getByLabel('Reason').fill(reason);
  await inspectView(page, 'waive-dialog');
  await page.getByTestId('waive-submit').click();
  await dialog.waitFor({ state: 'hidden' });
});

test('a waived finding says who and why, counts no more, and what is not checked stays so', async () => {
  await row().getByText(`Waived by Bea Smith`).waitFor();
  expect(await row().innerText()).toContain(reason);
  const facts = (await verdict().innerText()).replace(/\s+/g, ' ');
  expect(facts).toMatch(/Not checked\b.* Blocking 0 .*Waived 1/);
  await inspectView(page, 'waived');
  await page.getByTestId('bundle-create').click();
  await page.getByTestId('package-card').click();
  await page.getByTestId('packages-section').getByText('Waived by Bea Smith').waitFor();
});

test('other bytes make the waiver void, and the finding says so', async () => {
  await pick('changed');
  await row().first().getByText('is void here').waitFor();
  expect(await row().first().innerText()).toContain('A waiver by Bea Smith');
  expect(await verdict().innerText()).toContain('Blocked');
  await page.getByRole('button', { name: 'Remove radio.pack' }).click();
});

test('a waiver is taken back with a reason, and the finding counts again', async () => {
  const packages = page.getByTestId('packages-section');
  await packages.getByRole('button', { name: `Take back the waiver of ${rule}` }).click();
  await page.getByRole('dialog').getByText('The finding counts again').waitFor();
  await page.getByLabel('Reason').fill('the address must go before the release');
  await page.getByLabel('Your name').fill('Cy Jones');
  await page.getByTestId('waive-submit').click();
  await packages.getByText('Waived by Bea Smith').waitFor({ state: 'hidden' });
  await packages.getByText('Blocked').first().waitFor();
});

test('nothing broke the content security policy or the page', () => {
  expect(studio.complaints).toEqual([]);
});
