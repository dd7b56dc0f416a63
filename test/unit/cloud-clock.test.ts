import { expect, test } from 'vitest';
import { SteadyTime } from '../../electron/cloud/clock.ts';

const minuteMs = 60_000;

function times() {
  const now = { wallMs: 1_000_000, monotonicMs: 0 };
  const time = new SteadyTime(
    () => now.wallMs,
    () => now.monotonicMs,
  );
  const pass = (ms: number): number => {
    now.wallMs += ms;
    now.monotonicMs += ms;
    return time.nowMs();
  };
  return { now, time, pass };
}

test('a jump that is taken back never counted, in either direction', () => {
  for (const jumpMs of [365 * 86_400_000, -365 * 86_400_000]) {
    const { now, time, pass } = times();
    now.wallMs += jumpMs;
    expect(time.nowMs()).toBe(1_000_000);
    expect(pass(minuteMs)).toBe(1_000_000 + minuteMs);
    now.wallMs -= jumpMs;
    expect(pass(5 * minuteMs)).toBe(1_000_000 + 6 * minuteMs);
  }
});

test('a clock that was set for good is believed after two minutes', () => {
  const { now, time, pass } = times();
  now.wallMs += 3_600_000;
  time.nowMs();
  expect(pass(2 * minuteMs)).toBe(1_000_000 + 3_600_000 + 2 * minuteMs);
});

test('small corrections are followed at once, one after the other', () => {
  const { now, time } = times();
  for (let step = 1; step <= 10; step++) {
    now.wallMs += 1000;
    expect(time.nowMs()).toBe(1_000_000 + step * 1000);
  }
});
