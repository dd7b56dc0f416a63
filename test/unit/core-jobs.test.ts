import { expect, test } from 'vitest';
import { Jobs } from '../../electron/core/jobs/jobs.ts';
import { Log, redact } from '../../electron/core/log.ts';
import type { Job } from '../../shared/domain/job.ts';

test('a job reports progress with a rate and ends as succeeded', async () => {
  const seen: Job[] = [];
  const jobs = new Jobs((job) => seen.push(job));
  const value = await jobs.run('bundle.inspect', 'Inspect', async ({ onProgress }) => {
    await new Promise((done) => setTimeout(done, 120));
    onProgress({ step: 'Reading', done: 50, total: 100, unit: 'bytes' });
    return 7;
  });
  expect(value).toBe(7);
  expect(seen.map((job) => job.state)).toContain('running');
  expect(seen.at(-1)).toMatchObject({ state: 'succeeded', step: 'Reading', done: 50 });
  expect(seen.every((job) => (job.finishedAt === null) === (job.state === 'running'))).toBe(true);
});

test('cancelling aborts the signal, and the job says cancelled', async () => {
  const jobs = new Jobs(() => undefined);
  const work = jobs.run(
    'delta.make',
    'Make delta',
    ({ signal }) =>
      new Promise((_done, fail) =>
        signal.addEventListener('abort', () => fail(signal.reason as Error)),
      ),
  );
  const [job] = jobs.list();
  jobs.cancel(job?.id ?? '');
  await expect(work).rejects.toThrow();
  expect(jobs.list()[0]).toMatchObject({ state: 'cancelled', problem: { code: 'cancelled' } });
});

test('secrets never reach the log, at any depth', () => {
  const canary = 'c4n4ry-s3cret';
  const entries: unknown[] = [];
  const log = new Log(null, (entry) => entries.push(entry));
  log.write('info', 'cloud', `sent Authorization: Bearer ${canary}`, {
    operator: { token: canary },
    devices: [{ id: 'a', secret: canary }],
    header: `TargetToken ${canary}`,
  });
  expect(JSON.stringify(entries)).not.toContain(canary);
  expect(redact({ plain: 'kept' })).toEqual({ plain: 'kept' });
});
