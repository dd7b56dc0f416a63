import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudio } from '../../electron/core/studio.ts';
import { firmwareLike } from '../support/patches.ts';
import { inspectView, openStudioWindow, type StudioWindow } from '../support/studio-window.ts';

const slowMs = 60_000;
const described = `
        delta:
          formats: [bsdiff, detools, detools-inplace]
          compressions: [none, crle, heatshrink]
          ramBytes: 8192
          memoryBytes: 65536
          segmentBytes: 4096
          linkBytesPerSecond: 500`;

let studio: StudioWindow;
let page: Page;

/** Images of which a tenth is new in each version. */
const imageOf = (version: number): Uint8Array => {
  const bytes = firmwareLike(30_000, version);
  bytes.set(firmwareLike(40_000, 7).subarray(30_000 + 500 * version, 33_000 + 500 * version), 9000);
  return bytes;
};

/** Three releases of a component whose device is described. */
async function makeWorkspace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-window-'));
  await cp('resources/sample', folder, { recursive: true });
  const path = join(folder, 'slipway.yaml');
  const yaml = await readFile(path, 'utf8');
  await writeFile(path, yaml.replace(/\n +memory:\n.*sizeBytes: 65536 }/, described));
  const core = await createStudio({ workspacePath: folder });
  try {
    for (const version of [0, 1, 2]) {
      const file = join(folder, `sensor-${version}.bin`);
      await writeFile(file, imageOf(version));
      await core.ask('bundle.create', {
        productId: 'SENSOR-1',
        version: `1.${version}.0`,
        componentId: 'STM32',
        files: [file],
      });
    }
  } finally {
    await core.close();
  }
  return folder;
}

beforeAll(async () => {
  studio = await openStudioWindow({ folder: await makeWorkspace() });
  ({ page } = studio);
  await page.getByTestId('view-releases').click();
  await page.getByText('1.2.0').first().click();
  await page.getByTestId('view-delta').click();
  await page.getByTestId('delta-grid').waitFor();
}, slowMs);
afterAll(() => studio?.close());

const text = async (testId: string): Promise<string> =>
  (await page.getByTestId(testId).innerText()).replace(/\s+/g, ' ');

test('the matrix tells what each format costs the device, and why it cannot apply one', async () => {
  await page.getByTestId('delta-measure').click();
  await page.getByTestId('delta-matrix').waitFor({ timeout: slowMs });
  const told = await text('delta-matrix');
  expect(told).toMatch(/Format Patch Of compressed RAM Flash Air time Erases Device/);
  expect(told).toMatch(/BSDIFF40 .* Cannot/);
  expect(told).toMatch(/detools in place, heatshrink .* 64\.0 KiB .* m?s 16 Fits/);
  expect(told).toContain('Devices are counted while the cloud runs');
  expect(told).toMatch(/BSDIFF40: the decoder needs [\d.]+ MiB of RAM, the device has 8\.0 KiB\./);
  await inspectView(page, 'delta-view-matrix');
});

test('the proof tells the hashes, the memory that it kept to and the losses of power', async () => {
  await page.getByTestId('delta-format').click();
  await page.getByRole('option', { name: 'detools in place, heatshrink' }).click();
  await page.getByTestId('delta-make').first().click();
  await page.getByTestId('delta-proof').waitFor({ timeout: slowMs });
  const told = await text('delta-proof');
  for (const fact of ['Source SHA-256', 'Target SHA-256', 'Patch SHA-256', 'RAM of the proof'])
    expect(told).toContain(fact);
  expect(told).toMatch(/Losses of power \d+, each went on/);
  await inspectView(page, 'delta-view-proof');
});

test('a vendor’s delta is recorded from the version of the devices, and named as not checked', async () => {
  const path = join(studio.folder, 'EC600N_R01A01_to_R01A02_firmware-over-the-air.pack');
  await writeFile(path, firmwareLike(5000, 9));
  await page.getByTestId('delta-vendor').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('From version').fill('0.9.0');
  expect(await page.getByTestId('vendor-submit').isDisabled()).toBe(true);
  await studio.answerDialog([path]);
  await page.getByTestId('vendor-drop-pick').click();
  await page.getByTestId('vendor-files').waitFor();
  await inspectView(page, 'delta-view-vendor-dialog');
  await page.getByTestId('vendor-submit').click();
  await dialog.waitFor({ state: 'hidden', timeout: slowMs });
  expect(await text('delta-unreleased')).toMatch(/0\.9\.0 EC600N.* 4\.9 KiB Not checked/i);

  await page.getByTestId('delta-vendor').click();
  await dialog.getByLabel('From version').fill('1.0.0');
  await page.getByTestId('vendor-drop-pick').click();
  await page.getByTestId('vendor-submit').click();
  await dialog.waitFor({ state: 'hidden', timeout: slowMs });
  await page.getByTestId('delta-grid').getByText('1.0.0').click();
  expect(await text('delta-vendor-panel')).toContain('is the vendor’s word');
  await inspectView(page, 'delta-view-vendor');
  expect(studio.complaints).toEqual([]);
});
