import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { createStudio } from '../../electron/core/studio.ts';
import { axeViolations } from './axe.ts';

/** A real studio window on its own copy of the sample workspace. */
export interface StudioWindow {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly folder: string;
  /** Console errors and refused content of the page so far. */
  readonly complaints: readonly string[];
  /** What the next file dialogs answer; a real dialog cannot be driven. */
  answerDialog(paths: readonly string[]): Promise<void>;
  /** What the next file dialogs answer, one path each; those after them are closed. */
  answerDialogs(paths: readonly string[]): Promise<void>;
  /** What the next save dialogs answer; null closes them. */
  answerSaveDialog(path: string | null): Promise<void>;
  /** Drops files of the disk onto an element, as the system's file manager does. */
  dropFiles(selector: string, paths: readonly string[]): Promise<void>;
  /** Closes the window and keeps its workspace. */
  quit(): Promise<void>;
  /** Closes the window and deletes its workspace. */
  close(): Promise<void>;
}

/** What the window opens on: a copy of the sample, or a workspace that is there already. */
export interface StudioWindowOptions {
  readonly folder?: string;
  /** Changes the slipway.yaml of the copy. */
  readonly change?: (yaml: string) => string;
}

/** Opens the built studio in real Electron. */
export async function openStudioWindow(options: StudioWindowOptions = {}): Promise<StudioWindow> {
  const executablePath = process.env.SLIPWAY_ELECTRON;
  if (!executablePath) throw new Error('Electron is missing: run npm run setup, then npm test');
  const folder = options.folder ?? (await copySample(options.change));
  await mkdir('test/artifacts', { recursive: true });
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const app = await _electron.launch({
    executablePath,
    // Without it Playwright holds the page on light, whatever the theme setting is.
    colorScheme: null,
    args: [...sandbox, `--user-data-dir=${join(folder, '.slipway/profile')}`, '.', folder],
  });
  const page = await app.firstWindow();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.waitForFunction(() => document.documentElement.dataset.interactive === 'true');
  return {
    app,
    page,
    folder,
    complaints,
    answerDialog: (paths) =>
      app.evaluate(
        ({ dialog }, filePaths) => {
          dialog.showOpenDialog = async () => ({ canceled: filePaths.length === 0, filePaths });
        },
        [...paths],
      ),
    answerDialogs: (paths) =>
      app.evaluate(
        ({ dialog }, answers) => {
          const left = [...answers];
          dialog.showOpenDialog = async () => {
            const path = left.shift();
            return { canceled: path === undefined, filePaths: path === undefined ? [] : [path] };
          };
        },
        [...paths],
      ),
    answerSaveDialog: (path) =>
      app.evaluate(({ dialog }, filePath) => {
        dialog.showSaveDialog = async () => ({
          canceled: filePath === null,
          filePath: filePath ?? '',
        });
      }, path),
    dropFiles: (selector, paths) => dropFiles(page, selector, paths),
    quit: () => app.close(),
    async close() {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Opens the studio on a workspace of its own with two releases, their full packages and the delta between them. */
export async function openReleasesWindow(
  options: {
    readonly change?: (yaml: string) => string;
    /** Prepares the workspace further, before the window opens on it. */
    readonly prepare?: (folder: string) => Promise<void>;
  } = {},
): Promise<StudioWindow> {
  const folder = await copySample(options.change);
  await makeReleases(folder);
  await options.prepare?.(folder);
  return openStudioWindow({ folder });
}

/** Starts the virtual board in the bench view and flashes the image of release 1.1.0, which must boot. */
export async function flashVirtualBoard(page: Page): Promise<void> {
  await page.getByTestId('view-bench').click();
  await page.getByTestId('start-virtual').click();
  await page.getByTestId('flash').click();
  await page.getByTestId('bench-result').getByText('1.1.0, as expected').waitFor();
}

/** Looks at what is shown in both themes: no violation of axe-core, nothing wider than the window, a picture of each. */
export async function inspectView(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForFunction(
      (scheme) => document.documentElement.dataset.mantineColorScheme === scheme,
      colorScheme,
    );
    const violations = await axeViolations(page);
    await page.screenshot({ path: `test/artifacts/${name}-${colorScheme}.png` });
    expect(violations, `${name}, ${colorScheme}`).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `${name} is wider than the window`).toBe(0);
  }
}

/** A copy of the sample workspace in a folder of its own, its slipway.yaml changed. */
async function copySample(change?: (yaml: string) => string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-window-'));
  await cp('resources/sample', folder, { recursive: true });
  const path = join(folder, 'slipway.yaml');
  if (change) await writeFile(path, change(await readFile(path, 'utf8')));
  return folder;
}

async function dropFiles(page: Page, selector: string, paths: readonly string[]): Promise<void> {
  const box = await page.locator(selector).boundingBox();
  if (!box) throw new Error(`${selector} is not in sight`);
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, ...place, data });
  await session.detach();
}

async function makeReleases(folder: string): Promise<void> {
  const studio = await createStudio({ workspacePath: folder });
  try {
    const packages = [];
    for (const version of ['1.0.0', '1.1.0']) {
      const release = await studio.ask('releases.create', { productId: 'SENSOR-1', version });
      packages.push(
        await studio.ask('bundle.create', {
          releaseId: release.id,
          componentId: 'STM32',
          files: [join(folder, `firmware/sensor-${version}.bin`)],
        }),
      );
    }
    const [source, target] = packages;
    await studio.ask('delta.create', {
      sourcePackageId: source?.id ?? '',
      targetPackageId: target?.id ?? '',
    });
  } finally {
    await studio.close();
  }
}
