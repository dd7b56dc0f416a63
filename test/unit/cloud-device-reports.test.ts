import fc from 'fast-check';
import { expect, test } from 'vitest';
import { feedbackSchema, toDeviceReport } from '../../electron/cloud/http/ddi-report.ts';
import { namesEtag, parseRange } from '../../electron/cloud/http/byte-range.ts';
import { advance, failedState, failureCode } from '../../electron/cloud/plans/component-steps.ts';
import {
  getMessageSchema,
  jobMessage,
  statusMessageSchema,
  statusReport,
} from '../../electron/cloud/mqtt/messages.ts';
import { componentStateSchema } from '../../shared/domain/plan.ts';

const ddi = (status: object, downloaded = false) =>
  toDeviceReport(feedbackSchema.parse({ id: '7', time: '20261123T123218', status }), downloaded);

test('DDI feedback means what hawkBit says, odd fields included', () => {
  expect(ddi({ execution: 'download', result: { progress: { cnt: 1, of: 4 } } })).toEqual({
    kind: 'progress',
    state: 'downloading',
    progress: 0.25,
  });
  expect(ddi({ execution: 'download', result: { progress: { cnt: '9', of: 4 } } })).toMatchObject({
    progress: 1,
  });
  expect(ddi({ execution: 'download', result: { progress: { cnt: 1, of: 0 } } })).toMatchObject({
    progress: null,
  });
  expect(ddi({ execution: 'downloaded' })).toMatchObject({ state: 'downloadSucceeded' });
  expect(ddi({ execution: 'proceeding' }, false)).toMatchObject({ state: 'downloading' });
  expect(ddi({ execution: 'proceeding' }, true)).toMatchObject({ state: 'upgrading' });
  expect(ddi({ execution: 'closed', result: { finished: 'success' } })).toEqual({
    kind: 'succeeded',
    version: null,
  });
  expect(
    ddi({ execution: 'closed', result: { finished: 'failure' }, code: 12, details: ['x'] }),
  ).toEqual({ kind: 'failed', code: '12' });
  expect(ddi({ execution: 'closed', result: { finished: 'failure' }, details: ['E7'] })).toEqual({
    kind: 'failed',
    code: 'E7',
  });
  expect(ddi({ execution: 'rejected', details: 'a long text of a person' })).toEqual({
    kind: 'failed',
    code: 'rejected',
  });
  expect(ddi({ execution: 'canceled' })).toEqual({ kind: 'failed', code: 'canceled' });
  expect(ddi({ execution: 'scheduled' })).toBeNull();
});

test('MQTT status messages are read strictly', () => {
  const read = (body: object) => statusReport(statusMessageSchema.parse({ job: '7', ...body }));
  expect(read({ state: 'DOWNLOADING', progress: 0.5 })).toEqual({
    kind: 'progress',
    state: 'downloading',
    progress: 0.5,
  });
  expect(read({ state: 'VERIFIED' })).toMatchObject({ state: 'downloadSucceeded', progress: 1 });
  expect(read({ state: 'UPDATING' })).toMatchObject({ state: 'upgrading', progress: null });
  expect(read({ state: 'SUCCEEDED', version: '1.1.0', more: 1 })).toEqual({
    kind: 'succeeded',
    version: '1.1.0',
    protocol: 'mqtt',
  });
  expect(read({ state: 'SUCCEEDED' })).toEqual({ kind: 'succeeded', version: null });
  expect(read({ state: 'FAILED', code: 5 })).toEqual({ kind: 'failed', code: '5' });
  expect(read({ state: 'FAILED', code: 'bad code\n' })).toMatchObject({ code: 'device-error' });
  expect(read({ state: 'REJECTED' })).toEqual({ kind: 'failed', code: 'rejected' });
  for (const wrong of [
    { state: 'UPDATED' },
    { state: 'DOWNLOADING', progress: 55 },
    { state: 'SUCCEEDED', version: '' },
    { state: 'FAILED', job: 7 },
    { state: 'FAILED', job: '0' },
    { state: 'FAILED', job: '99999999999999999' },
  ])
    expect(statusMessageSchema.safeParse({ job: '7', ...wrong }).success).toBe(false);
});

test('a get message names at most 100 components', () => {
  const many = (count: number) => ({
    versions: Object.fromEntries(Array.from({ length: count }, (_, index) => [`C${index}`, '1'])),
  });
  expect(getMessageSchema.safeParse(many(100)).success).toBe(true);
  expect(getMessageSchema.safeParse(many(101)).success).toBe(false);
  expect(getMessageSchema.parse({})).toEqual({ versions: {} });
  for (const wrong of [null, [], 'text', { versions: { 'a b': '1' } }, { versions: { A: 1 } }])
    expect(getMessageSchema.safeParse(wrong).success).toBe(false);
});

test('the job of a device without one says so', () => {
  expect(jobMessage(null, String)).toBe('{"job":null}');
});

test('a component only moves forward, and a finished one not at all', () => {
  const states = fc.constantFrom(...componentStateSchema.options);
  const progress = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(states, progress, states, fc.option(progress), (from, done, to, report) => {
      const before = { state: from, progress: done };
      const after = advance(before, to, report);
      expect(advance(after, from, done)).toEqual(
        after.state === from ? { state: from, progress: Math.max(after.progress, done) } : after,
      );
      if (after.state === from) expect(after.progress).toBeGreaterThanOrEqual(done);
      if (['upgradeSucceeded', 'upgradeFailed', 'noUpdateRequired'].includes(from))
        expect(after).toEqual(before);
    }),
  );
});

test('a failure says how far the device had come, in a short code', () => {
  expect(failedState('downloading')).toBe('downloadFailed');
  expect(failedState('upgrading')).toBe('upgradeFailed');
  expect(failureCode('E.1:a-b_c', 'x')).toBe('E.1:a-b_c');
  for (const odd of ['', 'a b', 'x'.repeat(65), undefined, null, {}])
    expect(failureCode(odd, 'fallback')).toBe('fallback');
});

test('one range of bytes, as RFC 9110 reads it', () => {
  expect(parseRange('bytes=0-0', 10)).toEqual({ start: 0, end: 0 });
  expect(parseRange('bytes=3-', 10)).toEqual({ start: 3, end: 9 });
  expect(parseRange('bytes=3-99', 10)).toEqual({ start: 3, end: 9 });
  expect(parseRange('bytes=-4', 10)).toEqual({ start: 6, end: 9 });
  expect(parseRange('bytes=-99', 10)).toEqual({ start: 0, end: 9 });
  for (const none of ['bytes=10-', 'bytes=99-100', 'bytes=-0'])
    expect(parseRange(none, 10)).toBe('unsatisfiable');
  for (const whole of [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-2',
    'bytes=0-1,3-4',
    'items=1-2',
  ])
    expect(parseRange(whole, 10)).toBeNull();
});

test('a satisfiable range lies within the artifact', () => {
  const edge = fc.oneof(fc.constant(''), fc.nat().map(String));
  fc.assert(
    fc.property(edge, edge, fc.integer({ min: 1, max: 1 << 20 }), (first, last, sizeBytes) => {
      const range = parseRange(`bytes=${first}-${last}`, sizeBytes);
      if (range === null || range === 'unsatisfiable') return;
      expect(range.start).toBeGreaterThanOrEqual(0);
      expect(range.end).toBeGreaterThanOrEqual(range.start);
      expect(range.end).toBeLessThan(sizeBytes);
    }),
  );
});

test('a weak entity tag matches only where weak comparison is meant', () => {
  expect(namesEtag('"a", "b"', '"b"', false)).toBe(true);
  expect(namesEtag('W/"b"', '"b"', false)).toBe(false);
  expect(namesEtag('W/"b"', '"b"', true)).toBe(true);
  expect(namesEtag(' * ', '"b"', false)).toBe(true);
});
