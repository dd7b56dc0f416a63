import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashFile } from '../../electron/core/workspace/object-store.ts';
import {
  floodConsole,
  type FloodOrder,
  openPtyPair,
  startSender,
} from '../support/console-flood.ts';
import { openReleasesWindow } from '../support/studio-window.ts';
import { writeSection } from './report.ts';

const megabyte = 1e6;
/** One at the rate that is promised, for two minutes; two beyond it. */
const orders: readonly FloodOrder[] = [
  { bytes: 120 * megabyte, rate: 1 * megabyte },
  { bytes: 100 * megabyte, rate: 4 * megabyte },
  { bytes: 100 * megabyte, rate: 100 * megabyte },
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-console-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Row {
  readonly where: string;
  readonly sentBytes: number;
  readonly bytesPerSec: number;
  readonly isSame: boolean;
  /** Null where nobody counted. */
  readonly missedLines: number | null;
  readonly lagsMs: readonly number[];
  readonly worstFrameMs: number | null;
}

async function inService(order: FloodOrder): Promise<Row> {
  const flood = await floodConsole(folder, { ...order, readEveryMs: 50 });
  const { sha256 } = await hashFile(flood.captured.path);
  return {
    where: 'engine',
    sentBytes: flood.sent.sent,
    bytesPerSec: flood.bytesPerSec,
    isSame: sha256 === flood.sent.sha256,
    missedLines: flood.missedLines,
    lagsMs: flood.lagsMs,
    worstFrameMs: null,
  };
}

/** The console of the real window: how old the newest line on the screen is, and how long the window ever stood still. */
async function inWindow(order: FloodOrder): Promise<Row> {
  const studio = await openReleasesWindow();
  const pair = await openPtyPair(folder);
  try {
    const { page } = studio;
    const captured = join(folder, 'window.bin');
    await page.getByTestId('view-bench').click();
    await page.getByTestId('bench-part').getByText('Console').click();
    await page.getByTestId('console-port').fill(pair.port);
    await page.getByTestId('console-open').click();
    await studio.answerSaveDialog(captured);
    await page.getByTestId('console-capture').click();
    await page.getByText('Stop the capture').waitFor();
    const measured = page.evaluate(async (seconds) => {
      const lagsMs: number[] = [];
      let worstFrameMs = 0;
      let lastMs = performance.now();
      const untilMs = lastMs + seconds * 1000;
      let nextLookMs = lastMs + 2000;
      while (lastMs < untilMs) {
        await new Promise((done) => requestAnimationFrame(done));
        const nowMs = performance.now();
        worstFrameMs = Math.max(worstFrameMs, nowMs - lastMs);
        lastMs = nowMs;
        if (nowMs < nextLookMs) continue;
        nextLookMs = nowMs + 250;
        const texts = [...document.querySelectorAll('[data-testid="console-lines"] [role="row"]')];
        const times = texts.map((row) =>
          Number(/(\d{13}) \d+ temperature/.exec(row.textContent)?.[1]),
        );
        lagsMs.push(Date.now() - Math.max(...times.filter(Number.isFinite)));
      }
      return { lagsMs: lagsMs.toSorted((one, other) => one - other), worstFrameMs };
    }, order.bytes / order.rate);
    const startedMs = performance.now();
    const sender = startSender(pair.other, order);
    const sent = await sender.sent;
    const bytesPerSec = (sent.sent / (performance.now() - startedMs)) * 1000;
    const { lagsMs, worstFrameMs } = await measured;
    await sleep(1000);
    await page.getByTestId('console-capture').click();
    await page.getByTestId('console-lines').getByText(`Captured ${sent.sent} bytes`).waitFor();
    sender.release();
    const { sha256 } = await hashFile(captured);
    return {
      where: 'window',
      sentBytes: sent.sent,
      bytesPerSec,
      isSame: sha256 === sent.sha256,
      missedLines: null,
      lagsMs,
      worstFrameMs,
    };
  } finally {
    await studio.close();
    await pair.close();
  }
}

it('takes 1 MB/s for two minutes without loss, and shows it at once', async () => {
  const rows: Row[] = [];
  for (const order of orders) rows.push(await inService(order));
  rows.push(await inWindow({ bytes: 60 * megabyte, rate: megabyte }));
  const at = (lagsMs: readonly number[], share: number): string =>
    String(lagsMs[Math.floor((lagsMs.length - 1) * share)] ?? 'none');
  writeSection('console', 'Serial console', [
    'Numbered lines of some 60 bytes with their times, sent by a process of its own through a pair of',
    'pseudo terminals (socat) into a console that is captured to a file. Lag is from sending a line to',
    'reading it in a batch, or to seeing it on the screen of the real window, whose longest time between',
    'two frames is given as well. The ring keeps the newest 16 MiB; the capture keeps all.',
    '',
    '| where | MB | MB/s | capture | lines missed | lag p50 ms | p99 ms | worst ms | worst frame ms |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| ${row.where} | ${(row.sentBytes / megabyte).toFixed(0)} | ${(row.bytesPerSec / megabyte).toFixed(1)} | ${row.isSame ? 'the same SHA-256' : 'DIFFERS'} | ${row.missedLines ?? ''} | ${at(row.lagsMs, 0.5)} | ${at(row.lagsMs, 0.99)} | ${at(row.lagsMs, 1)} | ${row.worstFrameMs === null ? '' : row.worstFrameMs.toFixed(0)} |`,
    ),
  ]);
  for (const row of rows) expect(row.isSame, row.where).toBe(true);
  expect(rows[0]?.missedLines).toBe(0);
  expect(rows[0]?.bytesPerSec).toBeGreaterThanOrEqual(0.95 * megabyte);
}, 1_200_000);
