import { decode } from '@ably/vcdiff-decoder';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyPatch } from '../../shared/delta/patch-reader.ts';
import type { DetoolsCompression } from '../../shared/domain/delta.ts';
import { peer, pythonPeer } from '../support/peers.ts';
import { makePatch } from '../support/patches.ts';

const compressions = ['none', 'crle', 'heatshrink', 'lzma'] as const;
const memory = { memoryBytes: 512 * 1024, segmentBytes: 4096 };

let folder: string;
let source: Uint8Array;
let target: Uint8Array;
const at = (name: string): string => join(folder, name);
const read = async (name: string): Promise<Uint8Array> => Uint8Array.from(await readFile(at(name)));
const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** Runs a program of PyPI or Debian that must succeed. */
async function must(outcome: Promise<{ code: number; stdout: string; stderr: string }>) {
  const { code, stdout, stderr } = await outcome;
  expect(code, `${stdout}${stderr}`).toBe(0);
}
const detools = (...args: string[]) => must(pythonPeer('detools', args));
const xdelta3 = (...args: string[]) => must(peer('xdelta3', args));

/** Machine code and a next version of it: pieces put in, left out and moved, addresses shifted. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-formats-'));
  const code = await readFile(process.execPath);
  const base = code.subarray(5 << 20, (5 << 20) + 200_000);
  const moved = Buffer.concat([
    base.subarray(0, 60_000),
    Buffer.from('version 1.1.0'),
    base.subarray(120_000),
    code.subarray(9 << 20, (9 << 20) + 20_000),
    base.subarray(60_050, 119_000),
    Buffer.alloc(9000, 0xff),
  ]);
  for (let i = 0; i < moved.length; i += 397) moved[i] = (moved[i] ?? 0) + 4;
  source = Uint8Array.from(base);
  target = Uint8Array.from(moved);
  await writeFile(at('source'), source);
  await writeFile(at('target'), target);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('xdelta3 and vcdiff-decoder apply our VCDIFF, which is no larger than that of xdelta3', async () => {
  // A small window makes several of them.
  const windows = makePatch(
    source,
    target,
    { format: 'vcdiff', compression: null },
    { ramBytes: 100_000 },
  );
  const patch = makePatch(source, target, { format: 'vcdiff', compression: null });
  for (const ours of [patch, windows]) {
    await writeFile(at('ours'), ours);
    await xdelta3('-d', '-f', '-s', at('source'), at('ours'), at('rebuilt'));
    expect(isSame(await read('rebuilt'), target)).toBe(true);
    expect(isSame(decode(ours, source), target)).toBe(true);
  }
  await xdelta3(
    '-9',
    '-S',
    'none',
    '-n',
    '-A',
    '-f',
    '-s',
    at('source'),
    at('target'),
    at('theirs'),
  );
  const theirs = await read('theirs');
  expect(isSame(applyPatch(source, theirs), target)).toBe(true);
  expect(patch.length).toBeLessThanOrEqual(theirs.length);
});

test('a VCDIFF of xdelta3 with checksum and file names is applied, and notices a wrong source', async () => {
  await xdelta3('-S', 'none', '-f', '-s', at('source'), at('target'), at('theirs'));
  const theirs = await read('theirs');
  expect(isSame(applyPatch(source, theirs), target)).toBe(true);
  const other = source.slice();
  for (let i = 0; i < other.length; i += 1000) other[i]! ^= 1;
  expect(() => applyPatch(other, theirs)).toThrow('does not belong to this source');
});

test.each(compressions)('detools applies our patch with %s and we apply theirs', async (name) => {
  const patch = makePatch(source, target, { format: 'detools', compression: name });
  await writeFile(at(`ours-${name}`), patch);
  await detools('apply_patch', at('source'), at(`ours-${name}`), at(`rebuilt-${name}`));
  expect(isSame(await read(`rebuilt-${name}`), target)).toBe(true);
  await detools('create_patch', '-c', name, at('source'), at('target'), at(`theirs-${name}`));
  const theirs = await read(`theirs-${name}`);
  expect(isSame(applyPatch(source, theirs), target)).toBe(true);
  expect(patch.length).toBeLessThanOrEqual(theirs.length);
});

test.each(compressions)(
  'detools updates in place by our patch with %s, and we by theirs',
  async (name) => {
    const patch = makePatch(
      source,
      target,
      { format: 'detools-inplace', compression: name },
      memory,
    );
    await writeFile(at(`place-${name}`), patch);
    const flash = new Uint8Array(memory.memoryBytes).fill(0x5a);
    flash.set(source);
    await writeFile(at(`memory-${name}`), flash);
    await detools('apply_patch_in_place', at(`memory-${name}`), at(`place-${name}`));
    const updated = await read(`memory-${name}`);
    expect(isSame(updated.subarray(0, target.length), target)).toBe(true);
    expect(isSame(applyPatch(source, await inPlaceOfTheirs(name)), target)).toBe(true);
  },
);

async function inPlaceOfTheirs(name: DetoolsCompression): Promise<Uint8Array> {
  const sizes = [
    '--memory-size',
    `${memory.memoryBytes}`,
    '--segment-size',
    `${memory.segmentBytes}`,
  ];
  await detools(
    'create_patch_in_place',
    '-c',
    name,
    ...sizes,
    at('source'),
    at('target'),
    at(`q-${name}`),
  );
  return read(`q-${name}`);
}

/** What bspatch.c of mendsley/bsdiff does, with the bz2 of Python: no package has that program. */
const applyBsdiff43 = `
import bz2, struct, sys
source, patch = (open(name, 'rb').read() for name in sys.argv[1:3])
assert patch[:16] == b'ENDSLEY/BSDIFF43'
size = struct.unpack('<Q', patch[16:24])[0]
stream, at, old, target = bz2.decompress(patch[24:]), 0, 0, bytearray()
def number():
    global at
    value = struct.unpack('<Q', stream[at:at + 8])[0]
    at += 8
    return -(value & (1 << 63) - 1) if value >> 63 else value
while len(target) < size:
    copy, insert, seek = number(), number(), number()
    for i in range(copy):
        target.append((stream[at + i] + source[old + i]) & 255)
    target += stream[at + copy:at + copy + insert]
    at += copy + insert
    old += copy + seek
assert at == len(stream)
open(sys.argv[3], 'wb').write(target)
`;

test('a BSDIFF43 patch is one bzip2 stream that is read in one go', async () => {
  await writeFile(
    at('bsdiff43'),
    makePatch(source, target, { format: 'bsdiff43', compression: null }),
  );
  const args = [at('source'), at('bsdiff43'), at('rebuilt43')];
  await must(pythonPeer('python', ['-c', applyBsdiff43, ...args]));
  expect(isSame(await read('rebuilt43'), target)).toBe(true);
});

/** Makes a patch for HPatchLite, or applies one, with what is called hdiffpatch on PyPI. */
const hpatchLite = `
import hdiffpatch, sys
verb, *names, compression = sys.argv[1:]
source, other = (open(name, 'rb').read() for name in names[:2])
if verb == 'apply':
    made = hdiffpatch.apply_lite(source, other)
elif verb == 'repack':
    made = hdiffpatch.recompress_lite(source, compression)
elif compression == 'line':
    made = hdiffpatch.diff_lite(
        source, other, compression=hdiffpatch.TuzConfig(dict_size=4096, literal_line=True))
else:
    made = hdiffpatch.diff_lite(source, other, compression=compression)
open(names[2], 'wb').write(made)
`;
const hdiffpatch = (verb: string, one: string, other: string, out: string, compression = '') =>
  must(pythonPeer('python', ['-c', hpatchLite, verb, at(one), at(other), at(out), compression]));

/** Makes an HDIFF13 patch, or applies one. */
const hdiff13 = `
import hdiffpatch, sys
verb, *names, compression = sys.argv[1:]
source, other = (open(name, 'rb').read() for name in names[:2])
lzma = hdiffpatch.LzmaConfig(level=9, window=24)
if verb == 'apply':
    made = hdiffpatch.apply(source, other)
elif verb == 'repack':
    made = hdiffpatch.recompress(source, lzma if compression == 'lzma' else compression)
else:
    made = hdiffpatch.diff(source, other, lzma if compression == 'lzma' else compression)
open(names[2], 'wb').write(made)
`;
const hdiffz = (verb: string, one: string, other: string, out: string, compression = '') =>
  must(pythonPeer('python', ['-c', hdiff13, verb, at(one), at(other), at(out), compression]));

describe('HDIFF13', () => {
  test.each(['none', 'lzma'] as const)('hdiffpatch applies our patch with %s', async (name) => {
    for (const limits of [{}, { ramBytes: 300_000 }]) {
      const choice = { format: 'hdiffpatch', compression: name } as const;
      await writeFile(at(`hdiff-${name}`), makePatch(source, target, choice, limits));
      await hdiffz('apply', 'source', `hdiff-${name}`, `hdiff-rebuilt-${name}`);
      expect(isSame(await read(`hdiff-rebuilt-${name}`), target)).toBe(true);
    }
  });

  test.each(['none', 'lzma'] as const)('we apply its patch with %s', async (name) => {
    await hdiffz('make', 'source', 'target', `hdiff-their-${name}`, name);
    const theirs = await read(`hdiff-their-${name}`);
    expect(isSame(applyPatch(source, theirs), target)).toBe(true);
    const ours = makePatch(source, target, { format: 'hdiffpatch', compression: name });
    expect(ours.length).toBeLessThanOrEqual(1.01 * theirs.length);
  });

  test('hdiffpatch unpacks ours, and we apply what it packs again', async () => {
    const choice = { format: 'hdiffpatch', compression: 'lzma' } as const;
    await writeFile(at('hdiff-packed'), makePatch(source, target, choice));
    await hdiffz('repack', 'hdiff-packed', 'source', 'hdiff-plain', 'none');
    await hdiffz('repack', 'hdiff-plain', 'source', 'hdiff-again', 'lzma');
    for (const name of ['hdiff-plain', 'hdiff-again'])
      expect(isSame(applyPatch(source, await read(name)), target)).toBe(true);
  });

  test('what hdiffpatch makes of an empty target, of equal images, and in other compressions', async () => {
    await writeFile(at('hdiff-empty'), new Uint8Array(0));
    for (const to of ['hdiff-empty', 'source'])
      for (const name of ['none', 'lzma'] as const) {
        await hdiffz('make', 'source', to, 'hdiff-special', name);
        expect(isSame(applyPatch(source, await read('hdiff-special')), await read(to))).toBe(true);
        const ours = makePatch(source, await read(to), { format: 'hdiffpatch', compression: name });
        await writeFile(at('hdiff-special'), ours);
        await hdiffz('apply', 'source', 'hdiff-special', 'hdiff-rebuilt');
        expect(isSame(await read('hdiff-rebuilt'), await read(to))).toBe(true);
      }
    await hdiffz('make', 'source', 'target', 'hdiff-zstd', 'zstd');
    const zstd = await read('hdiff-zstd');
    expect(() => applyPatch(source, zstd)).toThrow('does not read');
  });
});

describe('HPatchLite', () => {
  test.each(['none', 'tinyuz'] as const)('hdiffpatch applies our patch with %s', async (name) => {
    for (const limits of [{}, { ramBytes: 1500 }, { ramBytes: 40_000 }]) {
      const choice = { format: 'hpatchlite', compression: name } as const;
      await writeFile(at(`lite-${name}`), makePatch(source, target, choice, limits));
      await hdiffpatch('apply', 'source', `lite-${name}`, `lite-rebuilt-${name}`);
      expect(isSame(await read(`lite-rebuilt-${name}`), target)).toBe(true);
    }
  });

  test.each(['none', 'tuz', 'line'])('we apply its patch with %s', async (name) => {
    await hdiffpatch('make', 'source', 'target', `lite-their-${name}`, name);
    const theirs = await read(`lite-their-${name}`);
    expect(isSame(applyPatch(source, theirs), target)).toBe(true);
    const compression = name === 'none' ? 'none' : 'tinyuz';
    const ours = makePatch(source, target, { format: 'hpatchlite', compression });
    expect(ours.length).toBeLessThanOrEqual(theirs.length);
  });

  test('hdiffpatch unpacks ours, and we apply what it packs again', async () => {
    const choice = { format: 'hpatchlite', compression: 'tinyuz' } as const;
    await writeFile(at('lite-packed'), makePatch(source, target, choice));
    await hdiffpatch('repack', 'lite-packed', 'source', 'lite-plain', 'none');
    await hdiffpatch('repack', 'lite-plain', 'source', 'lite-again', 'tuz');
    for (const name of ['lite-plain', 'lite-again'])
      expect(isSame(applyPatch(source, await read(name)), target)).toBe(true);
    const [ours, again] = [await read('lite-packed'), await read('lite-again')];
    expect(ours.length).toBeLessThanOrEqual(again.length);
  });

  test('what hdiffpatch makes of an empty target, of equal images, and in other compressions', async () => {
    await writeFile(at('lite-empty'), new Uint8Array(0));
    for (const [to, name] of [
      ['lite-empty', 'none'],
      ['lite-empty', 'tuz'],
      ['source', 'tuz'],
    ] as const) {
      await hdiffpatch('make', 'source', to, 'lite-special', name);
      expect(isSame(applyPatch(source, await read('lite-special')), await read(to))).toBe(true);
      const compression = name === 'none' ? 'none' : 'tinyuz';
      const ours = makePatch(source, await read(to), { format: 'hpatchlite', compression });
      await writeFile(at('lite-special'), ours);
      await hdiffpatch('apply', 'source', 'lite-special', 'lite-rebuilt');
      expect(isSame(await read('lite-rebuilt'), await read(to))).toBe(true);
    }
    await hdiffpatch('make', 'source', 'target', 'lite-zlib', 'zlib');
    const zlib = await read('lite-zlib');
    expect(() => applyPatch(source, zlib)).toThrow('does not read');
  });
});
