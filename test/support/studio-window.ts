import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';

/** A real studio window on its own copy of the sample workspace. */
export interface StudioWindow {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly folder: string;
  /** Console errors and refused content of the page so far. */
  readonly complaints: readonly string[];
  /** What the next file dialogs answer; a real dialog cannot be driven. */
  answerDialog(paths: readonly string[]): Promise<void>;
  /** Drops files of the disk onto an element, as the system's file manager does. */
  dropFiles(selector: string, paths: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the built studio in real Electron. */
export async function openStudioWindow(existingFolder?: string): Promise<StudioWindow> {
  const executablePath = process.env.SLIPWAY_ELECTRON;
  if (!executablePath) throw new Error('Electron is missing: run npm run setup, then npm test');
  const folder = existingFolder ?? (await mkdtemp(join(tmpdir(), 'slipway-window-')));
  if (!existingFolder) await cp('resources/sample', folder, { recursive: true });
  await mkdir('test/artifacts', { recursive: true });
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const app = await _electron.launch({
    executablePath,
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
      app.evaluate(({ dialog }, filePaths) => {
        dialog.showOpenDialog = async () => ({ canceled: filePaths.length === 0, filePaths });
      }, paths as string[]),
    dropFiles: (selector, paths) => dropFiles(page, selector, paths),
    async close() {
      await app.close();
      if (!existingFolder) await rm(folder, { recursive: true, force: true });
    },
  };
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
