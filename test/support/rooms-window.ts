import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { createStudio } from '../../electron/core/studio.ts';
import { axeViolations } from './axe.ts';
import { copySample, openStudioWindow, type StudioWindow } from './studio-window.ts';

/** A window on a workspace of its own that holds two releases with full packages and the delta between them. */
export async function openRoomsWindow(): Promise<StudioWindow> {
  const folder = await copySample();
  await seed(folder);
  return openStudioWindow({ folder });
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

/** Looks at the view in both themes: no violation of axe-core, nothing wider than the window, a picture of each. */
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
