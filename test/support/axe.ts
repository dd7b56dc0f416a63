import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe-core finds wrong with the page, one line for each rule and element; every rule is on. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(axePath, 'utf8'));
  // A tooltip under the pointer is drawn outside of every landmark.
  await page.mouse.move(3, 3);
  await page.getByRole('tooltip').waitFor({ state: 'hidden' });
  // Fading texts have no contrast yet.
  await page.waitForFunction(() =>
    document.getAnimations().every((a) => a.playState !== 'running'),
  );
  const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults;
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.html} ${node.failureSummary ?? ''}`),
  );
}
