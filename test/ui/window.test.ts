import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { openStudioWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;

const module = `      - id: EC600N
        name: Module firmware
        type: module
`;
const image = (version: string): string => join(studio.folder, `firmware/sensor-${version}.bin`);

beforeAll(async () => {
  studio = await openStudioWindow({
    change: (yaml) => yaml.replace('    policy:', `${module}    policy:`),
  });
  page = studio.page;
});
afterAll(async () => {
  await studio?.close();
});

async function createRelease(version: string): Promise<void> {
  await page.keyboard.press('Control+1');
  await page.getByTestId('new-release').click();
  await page.getByTestId('release-version').fill(version);
  await page.getByTestId('create-release').click();
  await page.getByTestId('create-release').waitFor({ state: 'hidden' });
}

const inView = (name: string) => page.getByTestId(`${name}-view`).waitFor();

test('an empty workspace says what a release is and offers to make the first one', async () => {
  await page.getByTestId('first-release').click();
  await page.getByTestId('release-version').fill('1 0');
  await page.getByText('Letters, digits').waitFor();
  expect(await page.getByTestId('create-release').isDisabled()).toBe(true);
  await page.keyboard.press('Escape');
  await page.getByTestId('release-version').waitFor({ state: 'hidden' });
});

test('the keyboard alone makes a release and opens its next room', async () => {
  await page.getByTestId('new-release').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('release-version').waitFor();
  await expect
    .poll(() =>
      page.getByTestId('release-version').evaluate((input) => input === document.activeElement),
    )
    .toBe(true);
  await page.keyboard.type('1.0.0');
  await page.keyboard.press('Enter');
  await page.getByTestId('release-version').waitFor({ state: 'hidden' });
  await page.getByTestId('releases-grid').focus();
  await page.keyboard.press('Enter');
  await inView('bundle');
});

test('files picked in the dialog are checked and become a version package that is verified', async () => {
  await studio.answerDialog([image('1.0.0')]);
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByTestId('file-card').waitFor();
  expect(await page.getByTestId('verdict-panel').innerText()).toContain('Every check passed.');
  expect(await page.getByTestId('memory-map').innerText()).toMatch(/64\.0 KiB\s+18\.9 % used/);
  await page.getByTestId('bundle-create').click();
  await page.getByTestId('package-card').waitFor();
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText('Intact').waitFor();
});

test('files dropped on the window are taken, bad ones are shown with rule, evidence and fix', async () => {
  await createRelease('1.1.0');
  await page.keyboard.press('Control+2');
  const record = await readFile(join(studio.folder, 'firmware/sensor-1.1.0.s19'), 'utf8');
  const lines = record.split(/\r?\n/);
  lines[5] = `${lines[5]?.slice(0, -2)}00`;
  await writeFile(join(studio.folder, 'wrong-sum.s19'), lines.join('\n'));
  await writeFile(join(studio.folder, 'erased.bin'), Buffer.alloc(5000, 0xff));
  await writeFile(join(studio.folder, 'tool.exe'), 'MZ');
  await studio.dropFiles('[data-testid=bundle-drop]', [
    image('1.1.0'),
    ...['wrong-sum.s19', 'erased.bin', 'tool.exe'].map((name) => join(studio.folder, name)),
  ]);
  await expect.poll(() => page.getByTestId('file-card').count()).toBe(4);
  const card = page.getByRole('article', { name: 'wrong-sum.s19' });
  const first = await card.getByTestId('finding').first().innerText();
  expect(first).toMatch(/^Blocked/);
  expect(first).toContain('s-record.checksum');
  expect(first).toMatch(/Offset\s+0x/);
  expect(first).toContain('Fix:');
  expect(await page.getByTestId('bundle-create').isDisabled()).toBe(true);
  await page.screenshot({ path: 'test/artifacts/bundle-blocked.png' });
  expect(await axeViolations(page)).toEqual([]);
});

test('a draft survives a look at another room; taking the bad files out makes it a package', async () => {
  await page.keyboard.press('Control+1');
  await inView('releases');
  await page.keyboard.press('Control+2');
  for (const name of ['wrong-sum.s19', 'erased.bin', 'tool.exe']) {
    await page.getByRole('button', { name: `Remove ${name}` }).click();
    await page.getByRole('article', { name }).waitFor({ state: 'hidden' });
  }
  await page.getByTestId('bundle-create').click();
  await page.getByTestId('package-card').waitFor();
});

test('a sixth file and a dropped folder are refused, each with its reason', async () => {
  await createRelease('2.0.0');
  await page.keyboard.press('Control+2');
  const paths = await Promise.all(
    Array.from({ length: 6 }, async (_path, index) => {
      const path = join(studio.folder, `part-${index}.bin`);
      await writeFile(path, `part ${index} of 2.0.0`);
      return path;
    }),
  );
  await studio.answerDialog(paths);
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByText('package.too-many-files').first().waitFor();
  await studio.dropFiles('[data-testid=verdict-panel]', [join(studio.folder, 'firmware')]);
  const alert = page.getByRole('alert');
  expect(await alert.innerText()).toContain('a folder');
  await alert.getByRole('button', { name: 'Dismiss' }).click();
  await alert.waitFor({ state: 'hidden' });
});

test('other bytes under a used version are told before anyone makes a package of them', async () => {
  await page.getByTestId('release-select').click();
  await page.getByRole('option', { name: 'SENSOR-1 1.0.0' }).click();
  await studio.answerDialog([image('1.1.0')]);
  await page.getByTestId('bundle-drop-pick').click();
  await page.getByText('identity.version-immutable').first().waitFor();
  expect(await page.getByTestId('bundle-create').isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Remove sensor-1.1.0.bin' }).click();
});

test('a file that changes after it was checked is refused with the reason, which stays on the screen', async () => {
  const path = join(studio.folder, 'late.bin');
  await copyFile(image('1.0.0'), path);
  await studio.answerDialog([path]);
  await page.getByTestId('bundle-drop-pick').click();
  const create = page.getByTestId('bundle-create');
  await expect.poll(() => create.isEnabled()).toBe(true);
  await copyFile(image('1.1.0'), path);
  await create.click();
  const alert = page.getByRole('alert');
  await alert.waitFor();
  expect(await alert.innerText()).toContain('version-immutable');
  await page.keyboard.press('Control+3');
  expect(await alert.count()).toBe(1);
  await alert.getByRole('button', { name: 'Dismiss' }).click();
});

test('a delta is made, proven and shown with its share of the full image', async () => {
  await page.getByTestId('release-select').click();
  await page.getByRole('option', { name: 'SENSOR-1 1.1.0' }).click();
  await page.getByTestId('delta-make').click();
  const proof = page.getByTestId('delta-proof');
  await proof.waitFor();
  expect(await proof.innerText()).toMatch(/BSDIFF40[\s\S]*Patch of full\s+\d+(\.\d)? %/);
  expect(await page.getByTestId('delta-make').count()).toBe(0);
  expect(await page.getByTestId('next-step').innerText()).toContain('Flash and check a board');
});

test('a long delta shows progress and is cancelled from the view; nothing is recorded', async () => {
  await createRelease('3.0.0');
  await createRelease('3.1.0');
  for (const version of ['3.0.0', '3.1.0']) {
    const path = join(studio.folder, `module-${version}.bin`);
    const noise = Buffer.alloc(24 << 20);
    for (let at = 0, state = version.charCodeAt(2); at < noise.length; at += 4) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      noise.writeUInt32LE(state, at);
    }
    noise.write(`version ${version}`, 100);
    await writeFile(path, noise);
    await page.getByTestId('release-select').click();
    await page.getByRole('option', { name: `SENSOR-1 ${version}` }).click();
    await page.keyboard.press('Control+2');
    await page.getByTestId('component-select').click();
    await page.getByRole('option', { name: 'EC600N, module' }).click();
    await studio.answerDialog([path]);
    await page.getByTestId('bundle-drop-pick').click();
    await page.getByTestId('file-card').waitFor();
    await page.getByTestId('bundle-create').click();
    await page.getByTestId('package-card').waitFor();
  }
  await page.keyboard.press('Control+3');
  await page.getByTestId('component-select').click();
  await page.getByRole('option', { name: 'EC600N, module' }).click();
  await page.getByTestId('delta-make').click();
  const strip = page.getByTestId('job-strip');
  await strip.getByRole('button', { name: 'Cancel' }).click();
  await strip.waitFor({ state: 'hidden' });
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(await page.getByTestId('delta-make').count()).toBe(1);
  await page.keyboard.press('Control+j');
  expect(await page.getByTestId('jobs-grid').innerText()).toContain('Cancelled after');
});

test('the log is filtered by room and text', async () => {
  await page.getByTestId('dock-log').click();
  const grid = page.getByTestId('log-grid');
  await page.getByLabel('Filter the log by text').fill('already has other bytes');
  await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('2');
  expect(await grid.innerText()).toContain('Warning');
  await page.getByLabel('Filter the log by text').fill('no entry holds this');
  await grid.getByText('No log entry passes the filter.').waitFor();
  await page.getByLabel('Filter the log by text').fill('');
  expect(await axeViolations(page)).toEqual([]);
  await page.screenshot({ path: 'test/artifacts/dock-log.png' });
  await page.getByTestId('dock-toggle').click();
  await grid.waitFor({ state: 'hidden' });
  await page.mouse.move(640, 400);
  await page.waitForTimeout(600);
  expect(await page.getByRole('tooltip').count()).toBe(0);
});

test('the palette opens views and releases by name', async () => {
  await page.keyboard.press('Control+k');
  const field = page.getByPlaceholder('Find a command, a view or a release');
  await field.fill('settings');
  expect(await axeViolations(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await inView('settings');
  await page.keyboard.press('Control+k');
  await field.fill('SENSOR-1 1.1.0');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByTestId('release-select').inputValue()).toBe('SENSOR-1 1.1.0');
});

test('F6 walks through the parts of the window', async () => {
  const part = () => page.evaluate(() => document.activeElement?.closest('[data-region]')?.tagName);
  await page.getByTestId('release-select').focus();
  const walked: unknown[] = [];
  for (let step = 0; step < 4; step++) {
    await page.keyboard.press('F6');
    walked.push(await part());
  }
  expect(walked).toEqual(['NAV', 'MAIN', 'SECTION', 'HEADER']);
  await page.keyboard.press('Shift+F6');
  expect(await part()).toBe('SECTION');
});

test('Ctrl with + and 0 change the size of the page', async () => {
  const ratio = () => page.evaluate(() => window.devicePixelRatio);
  const normal = await ratio();
  const press = (keyCode: string) =>
    studio.app.evaluate(({ BrowserWindow }, key) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      contents?.sendInputEvent({ type: 'keyDown', keyCode: key, modifiers: ['control'] });
    }, keyCode);
  await press('=');
  await expect.poll(ratio).toBeGreaterThan(normal);
  await press('0');
  await expect.poll(ratio).toBe(normal);
});

test('settings refuse what is wrong and keep what is right in slipway.yaml', async () => {
  await page.keyboard.press('Control+,');
  await page.getByTestId('iccid-input').fill('898602');
  await page.getByText('It must begin with 898603 or 898611').waitFor();
  expect(await page.getByTestId('iccid-add').isDisabled()).toBe(true);
  await page.getByTestId('file-types-input').fill('.rbl');
  await page.getByTestId('file-types-add').click();
  await page.getByRole('button', { name: 'Remove .rbl' }).waitFor();
  await page.getByRole('button', { name: 'Remove 898611' }).click();
  await page.getByRole('button', { name: 'Remove 898611' }).waitFor({ state: 'hidden' });
  await page.getByTestId('iccid-input').fill('8986112');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove 8986112' }).waitFor();
  const yaml = await readFile(join(studio.folder, 'slipway.yaml'), 'utf8');
  expect(yaml).toContain('.rbl');
  expect(yaml).toMatch(/898603.*8986112/s);
  expect(yaml).toContain('# ICCID prefixes');
});

test.each(['light', 'dark'] as const)(
  'every view of the frame is without a finding of axe in %s',
  async (theme) => {
    await page.keyboard.press('Control+,');
    await page
      .getByTestId('theme')
      .getByText(theme === 'light' ? 'Light' : 'Dark')
      .click();
    await page.waitForFunction(
      (scheme) => document.documentElement.dataset.mantineColorScheme === scheme,
      theme,
    );
    const dark = await studio.app.evaluate(({ nativeTheme }) => nativeTheme.shouldUseDarkColors);
    expect(dark).toBe(theme === 'dark');
    for (const [key, view] of [
      [',', 'settings'],
      ['1', 'releases'],
      ['2', 'bundle'],
      ['3', 'delta'],
    ] as const) {
      await page.keyboard.press(`Control+${key}`);
      await inView(view);
      if (view === 'bundle') await page.getByTestId('package-card').first().click();
      expect(await axeViolations(page), view).toEqual([]);
      await page.screenshot({ path: `test/artifacts/${view}-${theme}.png` });
    }
  },
);

test('nothing in the whole session broke the content security policy or the page', () => {
  expect(studio.complaints).toEqual([]);
});

test('the theme is kept: the next window is dark from its first moment', async () => {
  const { folder } = studio;
  await studio.quit();
  studio = await openStudioWindow({ folder });
  const { app } = studio;
  expect(await app.evaluate(({ nativeTheme }) => nativeTheme.themeSource)).toBe('dark');
  const background = await app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.getBackgroundColor(),
  );
  expect(background?.toLowerCase()).toBe('#1c1f25');
  expect(
    await studio.page.evaluate(() => document.documentElement.dataset.mantineColorScheme),
  ).toBe('dark');
});

test('a thousand releases draw only the rows in sight, and End goes to the last one', async () => {
  await studio.page.evaluate(async () => {
    for (let index = 0; index < 1000; index++)
      await window.slipway.call('releases.create', {
        productId: 'SENSOR-1',
        version: `9.${index}`,
      });
    window.dispatchEvent(new Event('focus'));
  });
  const grid = studio.page.getByTestId('releases-grid');
  await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('1006');
  expect(await grid.getByRole('row').count()).toBeLessThan(70);
  await grid.focus();
  await studio.page.keyboard.press('End');
  await grid.locator('[aria-rowindex="1006"][aria-selected="true"]').waitFor();
  await studio.page.keyboard.press('Home');
  await grid.locator('[aria-rowindex="2"][aria-selected="true"]').waitFor();
});
