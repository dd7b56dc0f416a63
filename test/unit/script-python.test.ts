import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { zip } from '../support/archives.ts';
import { InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const script = `import utime
from machine import Pin

VERSION = '1.4.2'


class Pump:
    """Runs
  a pump."""

    def __init__(self, pin, *, speed=3):
        self.pin, self.speed = Pin(pin), speed

    async def run(self, n):  # comment: with a colon
        table = {
      'a': [1, 2,
3],
        }
        if n > 1 and \\
     n < 9:
            return [x for x in range(n) if x != 0x10]
        elif n: return f"{self.speed!r:>{n}}"
        else:
\t\t\t# a comment may stand anywhere
            while True:
                try:
                    utime.sleep(1)
                except OSError as error: raise error
                finally:
                    pass
`;

async function told(text: string | Uint8Array, name = 'main.py'): Promise<string[]> {
  const file = await bench.inspect(name, Buffer.from(text));
  return file.findings
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ rule, detail }) => `${rule}: ${detail}`);
}

describe('Python scripts', () => {
  it('parses a script without running it', async () => {
    const file = await bench.inspect('main.py', Buffer.from(script), { version: '1.4.2' });
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'script.parsed',
      'identity.version-found',
      'file.hash',
    ]);
    expect(await told(script.replaceAll('\n', '\r\n'))).toEqual([]);
    expect(await told(script.replaceAll('    ', '\t').replace('\t\t\t#', '#'))).toEqual([]);
    expect(await told('')).toEqual(['file.empty: "main.py" has 0 bytes']);
  });

  it.each([
    ['x = (1\n', 'script.syntax: line 1, column 5: "(" is never closed'],
    ['x = [1)\n', 'script.syntax: line 1, column 7: ")" does not close "[" of line 1'],
    ['import a\nx = 1]\n', 'script.syntax: line 2, column 6: "]" closes nothing'],
    [
      'x = "abc\ny = 1\n',
      'script.syntax: line 1, column 5: the string that begins here is never closed',
    ],
    [
      'x = 1\n"""abc\n',
      'script.syntax: line 2, column 1: the string that begins here is never closed',
    ],
    ['x = 1\nfoo bar\n', 'script.syntax: line 2, column 4: this is no Python'],
    ['class A\n', 'script.syntax: line 1, column 8: this is no Python'],
    ['def f(:\n  pass\n', 'script.syntax: line 1, column 6: "(" is never closed'],
    ['def f(a b): pass\n', 'script.syntax: line 1, column 10: this is no Python'],
    ['x = 1 +\n', 'script.syntax: line 1, column 8: this is no Python'],
    ['if x:\n  print "x"\n', 'script.syntax: line 2, column 3: "print" needs brackets'],
    ['exec "x"\n', 'script.syntax: line 1, column 1: "exec" needs brackets'],
    ['x = a <> b\n', 'script.syntax: line 1, column 7: "<>" is written "!="'],
    [
      'try:\n  x = 1\ny = 2\n',
      'script.syntax: line 1, column 1: "try" without "except" or "finally"',
    ],
  ])('tells the place of the syntax error in %j', async (text, finding) => {
    expect(await told(text)).toContain(finding);
  });

  it.each([
    ['  x = 1\n', 'script.indent: line 1, column 3: it is indented without reason'],
    ['x = 1\n  y = 2\n', 'script.indent: line 2, column 3: it is indented without reason'],
    ['if x:\ny = 2\n', 'script.indent: line 1: the colon needs an indented block after it'],
    ['x = 1\ndef f():\n', 'script.indent: line 2: the colon needs an indented block after it'],
    [
      'def f():\n    x\n  y\n',
      'script.indent: line 3, column 3: it goes back to a depth that no line above has',
    ],
    [
      'if x:\n        y\n\tz\n',
      'script.indent: line 3, column 2: tabs and spaces are mixed so that its depth is not clear',
    ],
    [
      'if x:\n\ty\n        z\n',
      'script.indent: line 3, column 9: tabs and spaces are mixed so that its depth is not clear',
    ],
    [
      'if x:\n    y\nif z:\n\ty\n',
      'script.mixed-indent: some lines are indented with tabs, others with spaces',
    ],
  ])('tells the wrong indentation in %j', async (text, finding) => {
    expect(await told(text)).toContain(finding);
  });

  it('tells a byte order mark, mixed line ends, other encodings, conflicts and the lack of code', async () => {
    expect(await told('\uFEFFimport a\n')).toEqual(['script.bom: line 1, column 1']);
    expect(await told('import a\r\nimport b\nimport c\r\n')).toEqual([
      'script.line-ends: 1 × LF, 2 × CRLF',
    ]);
    expect(await told('import a\rimport b\r')).toEqual(['script.line-ends: 2 × CR']);
    expect(await told('# nothing\n\n')).toEqual([
      'script.no-code: nothing but comments and empty lines',
    ]);
    expect(await told('# nothing\n', '__init__.py')).toEqual([]);
    expect(await told(Buffer.from('# \xe9t\xe9\nimport a\n', 'latin1'))).toContain(
      'script.not-text: "main.py"',
    );
    expect(await told('import a\n<<<<<<< ours\nx = 1\n>>>>>>> theirs\n')).toEqual([
      'script.conflict: line 2',
    ]);
  });

  it('parses scripts in archives too, and says which one', async () => {
    const file = await bench.inspect(
      'up.zip',
      zip('app/main.py', Buffer.from('import a\nx = (\n')),
    );
    expect(file.findings.find(({ rule }) => rule === 'script.syntax')).toMatchObject({
      verdict: 'block',
      detail: '"app/main.py": line 2, column 5: "(" is never closed',
      evidence: { member: 'app/main.py' },
    });
  });

  it('does not parse what no person wrote', async () => {
    const long = 'x = 1\n'.repeat(50_000);
    expect(await told(long)).toEqual(['script.too-long: 300000 bytes']);
    const deep = `import a\nx = ${'('.repeat(100_000)}${')'.repeat(100_000)}\n`;
    expect(await told(deep)).toEqual(['script.syntax: line 2, column 205: over 200 open brackets']);
    const steps = Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}if x:\n`).join('');
    expect((await told(`import a\n${steps}`))[0]).toContain('over 100 levels of indentation');
  });

  it('takes what Python itself comes with, and refuses what Python refuses', async () => {
    const list = execFileSync('python3', [
      '-c',
      'import json,os,glob\n' +
        'root=os.path.dirname(os.__file__)\n' +
        'print(json.dumps([f for d in ("json","asyncio","logging") ' +
        'for f in sorted(glob.glob(os.path.join(root,d,"*.py")))]))',
    ]);
    const files: string[] = JSON.parse(list.toString());
    expect(files.length).toBeGreaterThan(20);
    for (const path of files) {
      const found = (await told(readFileSync(path))).filter((line) => !line.includes('no-code'));
      expect(found, path).toEqual([]);
    }
  });

  it('gives some verdict on any text', async () => {
    const pieces = [
      '\n',
      '  ',
      '\t',
      ':',
      '(',
      ')',
      '[',
      '"',
      "'",
      '"""',
      '\\',
      '#',
      'if x',
      '\r\n',
    ];
    const piece = fc.constantFrom(...pieces);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), async (made) => {
        const rules = await bench.rulesOf('any.py', Buffer.from(`import a\n${made.join('')}`));
        expect(rules).toContain('file.hash');
      }),
      { numRuns: 200 },
    );
  });
});
