import { expect, test } from 'vitest';
import { watchBoot } from '../../electron/core/bench/boot-watch.ts';
import { Recorder } from '../../electron/core/bench/recorder.ts';

/** A started board that prints each text at its time, in milliseconds. */
function bootOf(prints: readonly (readonly [number, string])[], expectVersion = '1.1.0') {
  const recorder = new Recorder();
  let print: (bytes: Uint8Array) => void = () => undefined;
  recorder.wrap({
    write: async () => undefined,
    onData: (listener) => {
      print = listener;
    },
    onLost: () => undefined,
    isPresent: async () => true,
    setLine: async () => undefined,
    setSignals: async () => false,
    close: async () => undefined,
  });
  recorder.startBootLog();
  for (const [ms, text] of prints) setTimeout(() => print(Buffer.from(text, 'latin1')), ms);
  return watchBoot({ recorder, expectVersion, signal: new AbortController().signal });
}

test.each([
  ['the expected version', [[5, 'hello\r\nversion 1.1.0\r\n']], '1.1.0', 'booted'],
  [
    'a version in pieces',
    [
      [5, 'version 1.'],
      [40, '1.0\r\n'],
    ],
    '1.1.0',
    'booted',
  ],
  ["ESP-IDF's line", [[5, 'I (31) app_init: App version:      v1.1.0\r\n']], '1.1.0', 'booted'],
  ['another version', [[5, 'version 1.0.0\n']], '1.0.0', 'other-version'],
  [
    'the expected version again and again',
    [5, 60, 120].map((ms) => [ms, 'version 1.1.0\r\npanic!\r\n'] as const),
    '1.1.0',
    'boot-loop',
  ],
  [
    'a ROM that starts again and again',
    [5, 60, 120].map((ms) => [ms, 'rst:0x10 (RTCWDT_RTC_RST),boot:0x13\r\n'] as const),
    null,
    'boot-loop',
  ],
] as const)('%s', async (_name, prints, version, outcome) => {
  const result = await bootOf(prints);
  expect(result).toEqual({ version, outcome, matched: outcome === 'booted' });
});
