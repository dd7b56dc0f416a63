import type { Page } from 'playwright-core';

/** What the window showed of an inspection, in milliseconds after the click that chose the files. */
export interface FirstFindings {
  /** When every file had a card with its format, its size and what is known of it, painted. */
  readonly firstMs: number;
  /** When the report stood in their place. */
  readonly reportMs: number;
  /** Words on the badges of the first cards. */
  readonly firstBadges: readonly string[];
}

/** Clicks the button that picks the files and watches the cards from inside the page. */
export async function watchFirstFindings(page: Page, files: number): Promise<FirstFindings> {
  const watched = page.evaluate(
    (count) =>
      new Promise<FirstFindings>((done) => {
        let startedMs = 0;
        let first: { firstMs: number; firstBadges: string[] } | null = null;
        document.addEventListener('click', (event) => (startedMs = event.timeStamp), {
          capture: true,
          once: true,
        });
        const observer = new MutationObserver(() => {
          const cards = document.querySelectorAll('[data-testid=first-findings] article');
          if (!first && cards.length === count) {
            first = {
              firstMs: Number.NaN,
              firstBadges: [...cards].map(
                (card) => card.querySelector('.mantine-Badge-label')?.textContent ?? '',
              ),
            };
            // The second frame begins when the first one has been painted.
            requestAnimationFrame(() =>
              requestAnimationFrame((atMs) => {
                if (first) first.firstMs = atMs - startedMs;
              }),
            );
          }
          const report = document.querySelectorAll('[data-testid=findings] article');
          if (!first || report.length !== count) return;
          observer.disconnect();
          done({ ...first, reportMs: performance.now() - startedMs });
        });
        observer.observe(document.body, { childList: true, subtree: true });
      }),
    files,
  );
  await page.getByTestId('bundle-drop-pick').click();
  return watched;
}
