import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConsoleRing } from '../../electron/core/bench/console/console-ring.ts';
import { lineText, marker, textTest } from '../../electron/core/bench/console/console-text.ts';
import { LineSplitter } from '../../electron/core/bench/console/line-splitter.ts';
import { hexText, parseHex } from '../../shared/domain/hex-bytes.ts';
import { isFault } from '../../shared/domain/text-fault.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test('the ring keeps the newest lines within its size and counts what fell off', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 50 }),
      (sizes, capacityBytes, mostLines) => {
        const ring = new ConsoleRing(capacityBytes, mostLines);
        for (const size of sizes) ring.push('rx', 0, new Uint8Array(size));
        expect(ring.sizeBytes).toBeLessThanOrEqual(capacityBytes);
        expect(ring.lineCount).toBeLessThanOrEqual(mostLines);
        expect(ring.droppedLines + ring.lineCount).toBe(sizes.length);
        expect(ring.droppedBytes + ring.sizeBytes).toBe(sizes.reduce((a, b) => a + b, 0));
        expect(ring.lastN).toBe(sizes.length);
        for (let n = ring.firstN; n <= ring.lastN; n++)
          expect(ring.line(n)?.bytes.length).toBe(sizes[n - 1]);
        expect(ring.line(ring.firstN - 1)).toBeUndefined();
        expect(ring.line(ring.lastN + 1)).toBeUndefined();
      },
    ),
  );
});

test('a long-running ring finds its lines after it has been cut many times', () => {
  const ring = new ConsoleRing(1 << 20, 100);
  for (let at = 1; at <= 50_000; at++) ring.push('rx', at, Uint8Array.of(at & 0xff));
  expect(ring.line(49_901)?.atMs).toBe(49_901);
  expect(ring.lastDroppedN).toBe(49_900);
  ring.clear();
  expect([ring.lineCount, ring.droppedLines, ring.lastN]).toEqual([0, 49_900, 50_000]);
});

test('lines put together again are what was received, however it was cut', () => {
  const piece = fc.uint8Array({ maxLength: 60 });
  const breaks = fc.constantFrom('\n', '\r\n', '\r', 'a', '\r\r\n').map(bytes);
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, breaks)), (pieces) => {
      const splitter = new LineSplitter();
      const lines = pieces.flatMap((part) => splitter.push(part, 0));
      const rest = splitter.flush();
      const whole = Buffer.concat([...lines, ...(rest ? [rest] : [])].map((line) => line.bytes));
      expect(whole.equals(Buffer.concat(pieces))).toBe(true);
      expect(splitter.tail).toBeNull();
    }),
  );
});

test('LF, CR LF and a CR alone end a line, also when a chunk ends between them', () => {
  const splitter = new LineSplitter();
  const texts = ['one\r', '\ntwo\nthree 10%\rthree 20%\r', '\r\nuart:~$ '].flatMap((text, at) =>
    splitter.push(bytes(text), at).map((line) => [line.atMs, lineText(line.bytes)]),
  );
  expect(texts).toEqual([
    [0, 'one'],
    [1, 'two'],
    [1, 'three 10%'],
    [1, 'three 20%'],
  ]);
  expect(splitter.tail).toMatchObject({ atMs: 2, bytes: Buffer.from('uart:~$ ') });
});

test('bytes without any line end are cut after 4096', () => {
  const lines = new LineSplitter().push(new Uint8Array(10_000), 0);
  expect(lines.map((line) => line.bytes.length)).toEqual([4096, 4096]);
});

test('colours of terminals are taken out, control characters are shown', () => {
  expect(lineText(bytes('\u001b[1;32muart:~$ \u001b[0mhelp\u0007\t|\r\n'))).toBe(
    'uart:~$ help␇\t|',
  );
  expect(lineText(bytes('température 21 °C\n'))).toBe('température 21 °C');
});

test('a text is found in any case; a regular expression is one of RE2', () => {
  expect(textTest({ text: 'ERROR', isRegex: false })('an error (5)')).toBe(true);
  expect(textTest({ text: '(', isRegex: false })('an error (5)')).toBe(true);
  expect(textTest({ text: 'err.r \\(\\d', isRegex: true })('an error (5)')).toBe(true);
  expect(textTest({ text: '^error', isRegex: true })('an error (5)')).toBe(false);
});

test('a pattern that takes a backtracking engine for ever is done at once', () => {
  const search = textTest({ text: '^(a+)+$', isRegex: true });
  const startedMs = performance.now();
  for (let line = 0; line < 50; line++) expect(search(`${'a'.repeat(4000)}!`)).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(2000);
});

test.each([['('], ['a{1000}{1000}'], ['(?=look)ahead'], ['(?:a{200}){5}']])(
  'the pattern %s is refused with what is wrong',
  (text) => {
    expect(() => textTest({ text, isRegex: true })).toThrowError(
      expect.objectContaining({ problem: expect.objectContaining({ code: 'bad-pattern' }) }),
    );
  },
);

test('words of trouble stand out, a rule of one’s own goes first', () => {
  const marks = marker([{ text: 'sensor error', isRegex: false, tone: 'info' }]);
  expect(marks('WARN: Sensor error, error 5; terror')).toEqual([
    [0, 4, 'warn'],
    [6, 18, 'info'],
    [20, 25, 'bad'],
  ]);
  expect(marker([])('all is well')).toEqual([]);
});

test('bytes written in hexadecimal come back, with any separators', () => {
  const separator = fc.constantFrom('', ' ', ',', ':', '-', '  ', ' 0x');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), separator, (values, between) => {
      const text = [...values].map((value) => value.toString(16).padStart(2, '0')).join(between);
      expect(parseHex(text)).toEqual(values);
      expect(parseHex(hexText(values).toUpperCase())).toEqual(values);
    }),
  );
});

test('whatever is typed is bytes or has a fault inside the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123abfxX ,:-gz;') }), (text) => {
      const result = parseHex(text);
      if (!isFault(result)) return;
      expect(result.position + result.length).toBeLessThanOrEqual(text.length);
      if (text.length > 0) expect(result.length).toBeGreaterThan(0);
    }),
  );
});

test.each([
  ['7f 0g', 4, 'no hexadecimal digit'],
  ['7f 123', 5, 'two digits'],
  ['01, 0x', 4, 'missing after 0x'],
  ['', 0, 'no byte'],
])('hexadecimal %s is wrong at %i', (text, position, message) => {
  expect(parseHex(text)).toMatchObject({ position, message: expect.stringContaining(message) });
});
