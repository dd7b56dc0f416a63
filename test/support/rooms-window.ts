import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { createStudio } from '../../electron/core/studio.ts';

/** A window on a workspace of its own that holds two releases with full packages and the delta between them. */
export interface RoomsWindow {
  readonly folder: string;
  readonly app: ElectronApplication;
  readonly page: Page;
  close(): Promise<void>;
}

/** Makes the workspace with the engine itself, then opens the window on it at 1280 × 800. */
export async function openRoomsWindow(): Promise<RoomsWindow> {
  const executablePath = process.env.SLIPWAY_ELECTRON;
  if (!executablePath) throw new Error('Electron is missing: run npm run setup, then npm test');
  const folder = await mkdtemp(join(tmpdir(), 'slipway-rooms-'));
  await cp('resources/sample', folder, { recursive: true });
  await mkdir('test/artifacts', { recursive: true });
  await seed(folder);
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const app = await _electron.launch({
    executablePath,
    args: [...sandbox, `--user-data-dir=${join(folder, 'profile')}`, '.', folder],
    env: process.env as Record<string, string>,
  });
  const page = await app.firstWindow();
  await page.waitForFunction(() => document.documentElement.dataset.interactive === 'true');
  return {
    folder,
    app,
    page,
    close: async () => {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function seed(folder: string): Promise<void> {
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

/** Lets the next file dialog answer with this path. */
export async function answerFileDialog(app: ElectronApplication, path: string): Promise<void> {
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [filePath] });
  }, path);
}

/** Looks at the view in both themes: no violation of axe-core, nothing wider than the window, a picture of each. */
export async function inspectView(page: Page, name: string): Promise<void> {
  const axe = await readFile('node_modules/axe-core/axe.min.js', 'utf8');
  for (const colorScheme of ['light', 'dark'] as const) {
    // Tooltips under the mouse are no part of the view.
    await page.mouse.move(1272, 790);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForFunction(
      (scheme) =>
        document.documentElement.dataset.mantineColorScheme === scheme &&
        document.getAnimations().every((animation) => animation.playState !== 'running'),
      colorScheme,
    );
    await page.evaluate(axe);
    const violations = await page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as {
        axe: {
          run(): Promise<{
            violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
          }>;
        };
      };
      const result = await checker.run();
      return result.violations.map(({ id, nodes }) => ({
        id,
        nodes: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary ?? ''}`),
      }));
    });
    await page.screenshot({ path: `test/artifacts/${name}-${colorScheme}.png` });
    expect(violations, `${name}, ${colorScheme}`).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `${name} is wider than the window`).toBe(0);
  }
}
