import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectView, openStudioWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;
let dialog: Locator;

beforeAll(async () => {
  studio = await openStudioWindow({
    change: (yaml) =>
      yaml.replace(
        'benchRunsRequired: 1',
        'benchRunsRequired: 1\n      findings: { hygiene.*: block, secret.private-key: block }',
      ),
  });
  ({ page } = studio);
  dialog = page.getByRole('dialog');
  await page.getByTestId('view-settings').click();
});
afterAll(() => studio?.close());

/** AFW1, size of the file, version text at 16, CRC-32 of what follows the header at the end. */
function firmware(damage: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(160, 0x5a);
  bytes.write('AFW1');
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.fill(0, 8, 32);
  bytes.write('2.4.0', 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(32, -4)), bytes.length - 4);
  damage(bytes);
  return bytes;
}

async function put(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(studio.folder, name);
  await writeFile(path, bytes);
  return path;
}

const rows = async (): Promise<string[]> =>
  (await page.getByTestId('format-test').locator('tbody tr').allInnerTexts()).map((row) =>
    row.replace(/\s+/g, ' ').trim(),
  );

test('what is typed is tested on a file at once, field by field', async () => {
  await page.getByTestId('describe-format').click();
  await page.getByTestId('format-name').fill('acme-fw');
  await dialog.getByLabel('Extensions').fill('.afw');
  await dialog.getByLabel('Text of the magic').fill('AFW1');
  await dialog.getByRole('button', { name: 'Add a field' }).click();
  await dialog.getByLabel('Name of field 1').fill('total');
  await dialog.getByLabel('Offset of field 1').fill('4');
  await dialog.getByLabel('Meaning of field 1').selectOption('file-size');
  await dialog.getByRole('button', { name: 'Add a checksum' }).click();
  await dialog.getByLabel('Covers from, of checksum 1').fill('0x20');
  await dialog.getByLabel('Version text').selectOption('place');
  await dialog.getByLabel('At offset').last().fill('16');
  await dialog.getByLabel('Length in bytes').fill('12');
  await dialog.getByText('Choose a file to see what each field reads.').waitFor();
  await studio.answerDialog([await put('good.afw', firmware())]);
  await page.getByTestId('format-file-pick').click();
  await page.getByTestId('format-test').getByText('2.4.0').first().waitFor();
  const read = await rows();
  expect(read[0]).toMatch(/^magic 0x0000_0000 41 46 57 31 AFW1 yes$/);
  expect(read[1]).toMatch(/^total 0x0000_0004 a0 ?00 ?00 ?00 160.* yes$/i);
  expect(read[2]).toMatch(/0x0000_009C .* yes$/);
  await inspectView(page, 'format-form');
});

test('a damaged file shows which place is wrong, and a number that is none says so', async () => {
  const damaged = firmware((bytes) => bytes.writeUInt32LE(99, 4));
  await studio.answerDialog([await put('bad.afw', damaged)]);
  await page.getByTestId('format-file-pick').click();
  await page.getByTestId('format-test').getByText('expected').first().waitFor();
  expect((await rows())[1]).toMatch(/^total .* 99 expected 160.* no$/);
  await page.getByTestId('format-test').getByTestId('finding').first().waitFor();
  await inspectView(page, 'format-damaged');
  await dialog.getByLabel('Offset of field 1').fill('four');
  await dialog.getByText('a number such as 16, 0x10 or -4').waitFor();
  expect(await page.getByTestId('format-save').isDisabled()).toBe(true);
  await dialog.getByLabel('Offset of field 1').fill('4');
});

test('what the engine refuses is told in the form, and nothing is saved', async () => {
  await page.getByTestId('format-name').fill('elf');
  await page.getByTestId('format-save').click();
  await dialog.getByText('name: this is the name of a built-in format').waitFor();
  await page.getByTestId('format-name').fill('acme-fw');
  await page.getByTestId('format-save').click();
  await dialog.waitFor({ state: 'hidden' });
  expect(await readFile(join(studio.folder, 'slipway.yaml'), 'utf8')).toMatch(/name: acme-fw/);
});

test('a saved format is edited in its place and removed', async () => {
  const section = page.getByTestId('formats-section');
  await section.getByRole('button', { name: 'Edit acme-fw' }).click();
  expect(await dialog.getByLabel('Covers from, of checksum 1').inputValue()).toBe('32');
  await dialog.getByLabel('Extensions').fill('.afw .afx');
  await page.getByTestId('format-save').click();
  await dialog.waitFor({ state: 'hidden' });
  await section.getByText('.afw .afx, 1 field, 1 checksum').waitFor();
  await inspectView(page, 'settings-formats');
});

test('the name that packages are recorded with is set here', async () => {
  const section = page.getByTestId('person-section');
  await section.getByLabel('Your name').fill('Ann Lee');
  await section.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => section.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  const settings = await page.evaluate(() => window.slipway.call('settings.get', {}));
  expect(settings).toMatchObject({ value: { person: 'Ann Lee' } });
});

test('the policy of each product is shown with the place where it is written', async () => {
  const section = page.getByTestId('policy-section');
  const words = (await section.innerText()).replace(/\s+/g, ' ');
  expect(words).toContain(join(studio.folder, 'slipway.yaml'));
  expect(words).toMatch(/SENSOR-1.* Bench runs 1 passed .* hygiene\.\* blocks a release/);
  expect(await section.getByRole('textbox').count()).toBe(0);
});

test('a format is described from the file that could not be read, and removed again', async () => {
  await page.getByTestId('view-releases').click();
  await page.getByTestId('new-release').click();
  await page.getByTestId('release-version').fill('2.4.0');
  await page.getByTestId('create-release').click();
  await page.getByTestId('create-release').waitFor({ state: 'hidden' });
  await page.getByTestId('view-bundle').click();
  await studio.answerDialog([await put('vendor.pack', firmware())]);
  await page.getByTestId('bundle-drop-pick').click();
  await page
    .getByTestId('file-card')
    .getByRole('button', { name: 'Describe this format…' })
    .click();
  await dialog.getByText('Tested on vendor.pack').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByTestId('view-settings').click();
  const section = page.getByTestId('formats-section');
  await section.getByRole('button', { name: 'Remove acme-fw' }).click();
  await section.getByRole('button', { name: 'Edit acme-fw' }).waitFor({ state: 'hidden' });
});

test('nothing broke the content security policy or the page', () => {
  expect(studio.complaints).toEqual([]);
});
