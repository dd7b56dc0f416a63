import fc from 'fast-check';
import { expect, test } from 'vitest';
import { taskBarProgress } from '../../electron/shell/task-bar.ts';
import { zoomAfterKey } from '../../electron/shell/zoom.ts';
import {
  agoText,
  durationText,
  etaText,
  hexText,
  percentText,
  pathWithin,
  pluralText,
  rateText,
} from '../../renderer/widgets/format-text.ts';
import { jobAmountText, jobLine, jobResultText } from '../../renderer/widgets/job-text.ts';
import type { Job } from '../../shared/domain/job.ts';

const job: Job = {
  id: 'j',
  kind: 'bundle.inspect',
  title: 'Inspect files',
  state: 'running',
  step: 'Reading',
  done: 512,
  total: 2048,
  unit: 'bytes',
  ratePerSec: 1024,
  etaMs: 1500,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  problem: null,
};

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1000, '1.0 s'],
  [59_940, '59.9 s'],
  [59_960, '1 min 00 s'],
  [245_000, '4 min 05 s'],
  [3_599_600, '1 h 00 min'],
  [7_260_000, '2 h 01 min'],
])('%i ms reads %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('no duration ever reads 60 seconds or 60 minutes', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      (ms) => !/\b60/.test(durationText(ms)),
    ),
    { examples: [[59_999.9], [3_599_999]] },
  );
});

test('addresses are grouped from the right and never begin with an underscore', () => {
  expect(hexText(0)).toBe('0x0000_0000');
  expect(hexText(0x0800_ffff)).toBe('0x0800_FFFF');
  expect(hexText(0x1_2345_6789)).toBe('0x1_2345_6789');
});

test('shares, counts and ages read as people write them', () => {
  expect(percentText(0.028)).toBe('2.8 %');
  expect(percentText(1)).toBe('100 %');
  expect(pluralText(1, 'device')).toBe('1 device');
  expect(pluralText(10_000, 'device')).toBe('10,000 devices');
  const now = Date.parse('2026-01-03T00:00:00Z');
  expect(agoText('2026-01-02T23:59:30Z', now)).toBe('just now');
  expect(agoText('2026-01-02T22:00:00Z', now)).toBe('2 h ago');
  expect(agoText('2026-01-01T00:00:00Z', now)).toBe('2 days ago');
});

test('a path is told from the folder that holds it, whatever its separator', () => {
  expect(pathWithin('/w/evidence/a.json', '/w')).toBe('evidence/a.json');
  expect(pathWithin('C:\\w\\evidence\\a.json', 'C:\\w')).toBe('evidence/a.json');
  expect(pathWithin('/w2/a.json', '/w')).toBe('/w2/a.json');
});

test('a job says its step, share, rate and time left while it runs', () => {
  expect(jobLine(job)).toBe('Reading, 25 %, 1.0 KiB/s, 1.5 s left');
  expect(jobAmountText(job)).toBe('512 B of 2.0 KiB');
  expect(jobAmountText({ ...job, done: 0, total: 0 })).toBe('');
  expect(jobLine({ ...job, total: 0, ratePerSec: 0, etaMs: null })).toBe('Reading');
  expect(rateText({ ratePerSec: 2.25, unit: 'items' })).toBe('2.3/s');
  expect(etaText({ etaMs: 0 })).toBe('');
});

test('a finished job says what became of it', () => {
  const finishedAt = '2026-01-01T00:00:02.500Z';
  expect(jobResultText({ ...job, state: 'succeeded', finishedAt })).toBe('Done in 2.5 s');
  expect(jobAmountText({ ...job, state: 'succeeded' })).toBe('2.0 KiB');
  expect(jobAmountText({ ...job, state: 'succeeded', unit: 'items' })).toBe('');
  expect(jobResultText({ ...job, state: 'cancelled', finishedAt })).toBe('Cancelled after 2.5 s');
  const problem = { code: 'x', title: 'Cut', detail: 'at 5', hint: '', kind: 'io' } as const;
  expect(jobResultText({ ...job, state: 'failed', finishedAt, problem })).toBe('Cut: at 5');
});

test('the task bar shows the mean share, and goes on without one while a total is unknown', () => {
  expect(taskBarProgress([])).toBe(-1);
  expect(taskBarProgress([job, { done: 3, total: 4 }])).toBe(0.5);
  expect(taskBarProgress([job, { done: 3, total: 0 }])).toBeGreaterThan(1);
});

test('zoom stays between 80 % and 200 %', () => {
  expect(zoomAfterKey('+', 1)).toBe(1.1);
  expect(zoomAfterKey('=', 2)).toBe(2);
  expect(zoomAfterKey('-', 0.8)).toBe(0.8);
  expect(zoomAfterKey('0', 1.7)).toBe(1);
  expect(zoomAfterKey('a', 1)).toBeNull();
});
