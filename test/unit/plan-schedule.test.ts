import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantOf, isLocalTime, isTimeZone, localTimeOf } from '../../shared/domain/local-time.ts';
import { isPushTime, planTimes, scheduleFault } from '../../shared/domain/plan-schedule.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Shanghai',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Pacific/Chatham',
];

test('a time that the clock skips means the moment of the change', () => {
  for (const edge of ['start', 'end'] as const) {
    expect(instantOf('2026-03-29T02:30', 'Europe/Berlin', edge)).toBe(utc('2026-03-29T01:00'));
    expect(instantOf('2026-03-08T02:00', 'America/New_York', edge)).toBe(utc('2026-03-08T07:00'));
    // Half an hour only.
    expect(instantOf('2026-10-04T02:10', 'Australia/Lord_Howe', edge)).toBe(
      utc('2026-10-03T15:30'),
    );
    // A whole day, when the date line moved.
    expect(instantOf('2011-12-30T12:00', 'Pacific/Apia', edge)).toBe(utc('2011-12-30T10:00'));
  }
});

test('a time that comes twice starts at its first coming and ends at its second', () => {
  expect(instantOf('2026-10-25T02:30', 'Europe/Berlin', 'start')).toBe(utc('2026-10-25T00:30'));
  expect(instantOf('2026-10-25T02:30', 'Europe/Berlin', 'end')).toBe(utc('2026-10-25T01:30'));
  expect(instantOf('2026-11-01T01:00', 'America/New_York', 'start')).toBe(utc('2026-11-01T05:00'));
  expect(instantOf('2026-11-01T01:00', 'America/New_York', 'end')).toBe(utc('2026-11-01T06:00'));
});

test('every instant comes back from its local time, by one edge or the other', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: utc('2000-01-01') / 60_000, max: utc('2045-01-01') / 60_000 }),
      fc.constantFrom(...zones),
      (minute, zone) => {
        const atMs = minute * 60_000;
        const local = localTimeOf(atMs, zone);
        const edges = [instantOf(local, zone, 'start'), instantOf(local, zone, 'end')];
        expect(edges).toContain(atMs);
        expect(edges[0]).toBeLessThanOrEqual(edges[1] ?? 0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('later local times are never earlier instants, in any week of a change', () => {
  const weeks = [
    '2026-03-07',
    '2026-03-28',
    '2026-04-04',
    '2026-10-03',
    '2026-10-24',
    '2026-10-31',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...weeks),
      fc.nat(2880),
      fc.nat(300),
      (zone, day, minute, later) => {
        const local = (minutes: number): string =>
          new Date(utc(day) + minutes * 60_000).toISOString().slice(0, 16);
        for (const edge of ['start', 'end'] as const)
          expect(instantOf(local(minute + later), zone, edge)).toBeGreaterThanOrEqual(
            instantOf(local(minute), zone, edge),
          );
      },
    ),
    { numRuns: 1000 },
  );
});

test('a push period over midnight is open on both sides of it', () => {
  const schedule = { timeZone: 'Asia/Shanghai', pushPeriod: { from: '22:00', to: '04:00' } };
  const open = (local: string): boolean => isPushTime(schedule, utc(local) - 8 * 3_600_000);
  expect(open('2026-05-01T21:59')).toBe(false);
  expect(open('2026-05-01T22:00')).toBe(true);
  expect(open('2026-05-02T00:00')).toBe(true);
  expect(open('2026-05-02T03:59')).toBe(true);
  expect(open('2026-05-02T04:00')).toBe(false);
});

test('a push period follows the wall clock through both changes of the year', () => {
  const schedule = { timeZone: 'Europe/Berlin', pushPeriod: { from: '02:15', to: '02:45' } };
  const openMinutes = (day: string): number =>
    Array.from({ length: 1440 }, (_, minute) => utc(`${day}T00:00`) + minute * 60_000).filter(
      (atMs) => isPushTime(schedule, atMs),
    ).length;
  expect(openMinutes('2026-03-28')).toBe(30);
  expect(openMinutes('2026-03-29'), 'the hour that is left out').toBe(0);
  expect(openMinutes('2026-10-25'), 'the hour that comes twice').toBe(60);
});

test('what cannot be carried out is said', () => {
  const fault = (changes: object) =>
    scheduleFault({
      timeZone: 'Europe/Berlin',
      plannedTime: { start: '2026-05-01T10:00', end: '2026-05-02T10:00' },
      ...changes,
    });
  expect(fault({})).toBeNull();
  expect(fault({ timeZone: undefined })).toMatch(/time zone/);
  expect(fault({ timeZone: 'Mars/Base' })).toMatch(/Mars/);
  expect(fault({ plannedTime: { start: '2026-02-30T10:00', end: '2026-05-02T10:00' } })).toMatch(
    /2026-02-30/,
  );
  expect(fault({ plannedTime: { start: '2026-05-03T10:00', end: '2026-05-02T10:00' } })).toMatch(
    /before it starts/,
  );
  expect(fault({ pushPeriod: { from: '10:00', to: '10:00' } })).toMatch(/same minute/);
  expect(scheduleFault({})).toBeNull();
  expect(scheduleFault({ pushPeriod: { from: '01:00', to: '02:00' } })).toMatch(/time zone/);
  // Both lie in the hour that is left out.
  expect(fault({ plannedTime: { start: '2026-03-29T02:10', end: '2026-03-29T02:50' } })).toMatch(
    /before it starts/,
  );
  expect(planTimes({})).toEqual({ startMs: null, endMs: null });
});

test('names of zones and days of the calendar', () => {
  expect(zones.every(isTimeZone)).toBe(true);
  for (const name of ['', '+01:00', 'Europe/Atlantis', '__proto__', 'UTC ']) {
    expect(isTimeZone(name), name).toBe(false);
  }
  expect(isLocalTime('2028-02-29T23:59')).toBe(true);
  for (const text of ['2026-02-29T10:00', '2026-13-01T10:00', '2026-01-01T24:00', '2026-01-01', ''])
    expect(isLocalTime(text), text).toBe(false);
});
