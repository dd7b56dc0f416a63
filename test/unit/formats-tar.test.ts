import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTar, type TarMember } from '../../shared/formats/tar.ts';
import { tarData, tarHeader, tarOf, tarSize } from '../support/archives.ts';

interface Told {
  readonly rules: readonly string[];
  readonly details: readonly string[];
  readonly members: readonly (readonly [name: string, content: string, isSparse: boolean])[];
}

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[Math.min(piece, sizes.length - 1)] ?? bytes.length;
    // A window that is used again, as that of a file is: what must be kept has to be copied.
    const window = Buffer.from(bytes.subarray(at, at + size));
    yield window;
    window.fill(0xaa);
    at += size;
  }
}

async function read(bytes: Uint8Array, sizes = [bytes.length || 1]): Promise<Told> {
  const [rules, details]: [string[], string[]] = [[], []];
  const members: [string, string, boolean][] = [];
  await readTar(
    inPieces(bytes, sizes),
    (rule, detail, evidence) => {
      rules.push(rule);
      details.push(`${rule} ${detail} ${evidence?.offset ?? ''}`);
    },
    async ({ name, content, isSparse }: TarMember) => {
      let text = '';
      for await (const part of content) text += Buffer.from(part).toString('latin1');
      members.push([name, text, isSparse]);
    },
  );
  return { rules, details, members };
}

const end = Buffer.alloc(1024);
const pax = (records: Readonly<Record<string, string>>, type = 'x'): Buffer => {
  const text = Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length += 1;
      return `${length}${rest}`;
    })
    .join('');
  return Buffer.concat([tarHeader('pax', tarSize(text.length), type), tarData(Buffer.from(text))]);
};
const file = (name: string, text: string, size = text.length, type = '0'): Buffer =>
  Buffer.concat([tarHeader(name, tarSize(size), type), tarData(Buffer.from(text))]);

describe('tar', () => {
  it('hands on the content of each file, whatever the receiver leaves of it', async () => {
    const bytes = tarOf([
      ['a', Buffer.from('one')],
      ['b', Buffer.alloc(2000, 'x')],
      ['c', Buffer.from('three')],
    ]);
    const { members, rules } = await read(bytes);
    expect(members.map(([name, text]) => [name, text.length])).toEqual([
      ['a', 3],
      ['b', 2000],
      ['c', 5],
    ]);
    expect(rules).toEqual([]);
    const names: string[] = [];
    await readTar(
      inPieces(bytes, [100]),
      () => undefined,
      async ({ name }) => {
        names.push(name);
      },
    );
    expect(names).toEqual(['a', 'b', 'c']);
  });

  it('takes name, size and link target from extended headers', async () => {
    const bytes = Buffer.concat([
      pax({ path: 'x/y', size: '4' }),
      file('short', 'data'),
      tarHeader('././@LongLink', tarSize(151), 'L'),
      tarData(Buffer.from(`${'n'.repeat(150)}\0`)),
      file('cut', 'more'),
      end,
    ]);
    const { members, rules } = await read(bytes);
    expect(members.map(([name]) => name)).toEqual(['x/y', 'n'.repeat(150)]);
    expect(rules).toEqual([]);
  });

  it.each([
    [
      'tar.damaged',
      'a global header',
      Buffer.concat([pax({ path: 'x' }, 'g'), file('a', 'b'), end]),
    ],
    [
      'tar.damaged',
      'a broken pax record',
      Buffer.concat([tarHeader('p', tarSize(8), 'x'), tarData(Buffer.from('99 a=b\n\n')), end]),
    ],
    [
      'tar.damaged',
      'a negative pax size',
      Buffer.concat([pax({ size: '-1' }), file('a', 'b'), end]),
    ],
    [
      'tar.damaged',
      'an endless pax size',
      Buffer.concat([pax({ size: '9'.repeat(30) }), file('a', 'b'), end]),
    ],
    ['tar.damaged', 'an unknown type', Buffer.concat([file('a', 'b', 1, 'Z'), end])],
    [
      'tar.damaged',
      'a huge extended header',
      Buffer.concat([tarHeader('p', tarSize(70_000), 'x'), Buffer.alloc(70_656), end]),
    ],
    [
      'tar.header-mismatch',
      'a pax size that hides a member',
      Buffer.concat([pax({ size: '1000' }), file('a', 'short'), file('hidden', 'x'), end]),
    ],
    [
      'tar.header-mismatch',
      'a pax size of zero',
      Buffer.concat([pax({ size: '0' }), file('a', 'short'), end]),
    ],
    [
      'tar.truncated',
      'a pax size beyond the end',
      Buffer.concat([pax({ size: '8589934592' }), file('a', 'short'), end]),
    ],
    [
      'tar.truncated',
      'a header size beyond the end',
      Buffer.concat([tarHeader('a', tarSize(5000), '0'), end]),
    ],
    ['tar.unsafe-name', 'a pax path', Buffer.concat([pax({ path: '../up' }), file('a', 'b'), end])],
    [
      'tar.unsafe-name',
      'an absolute GNU name',
      Buffer.concat([
        tarHeader('L', tarSize(4), 'L'),
        tarData(Buffer.from('/etc')),
        file('a', 'b'),
        end,
      ]),
    ],
    ['tar.link', 'a link', Buffer.concat([tarHeader('l', tarSize(0), '2'), end])],
    ['tar.link', 'a device', Buffer.concat([tarHeader('d', tarSize(0), '3'), end])],
    [
      'tar.duplicate',
      'a name in other letters',
      Buffer.concat([file('A', 'b'), file('a', 'c'), end]),
    ],
    [
      'tar.trailing',
      'bytes after the end mark',
      Buffer.concat([file('a', 'b'), end, Buffer.from('x')]),
    ],
    ['tar.no-end', 'no end mark', file('a', 'b')],
    ['tar.no-members', 'no member', end],
  ])('%s: %s', async (rule, _what, bytes) => {
    expect((await read(bytes)).rules).toContain(rule);
  });

  it('reads the contiguous files and labels of old tars', async () => {
    const bytes = Buffer.concat([file('label', '', 0, 'V'), file('c', 'data', 4, '7'), end]);
    expect((await read(bytes)).members).toEqual([['c', 'data', false]]);
  });
});

describe('sparse members', () => {
  /** Two runs of data, in the old GNU form. */
  const oldGnu = (runs: readonly (readonly [number, number])[], realSize: number, data: string) =>
    Buffer.concat([
      tarHeader('s', tarSize(data.length), 'S', (header) => {
        for (const [index, [offset, size]] of runs.entries()) {
          header.write(tarSize(offset), 386 + index * 24, 'latin1');
          header.write(tarSize(size), 398 + index * 24, 'latin1');
        }
        header.write(tarSize(realSize), 483, 'latin1');
      }),
      tarData(Buffer.from(data)),
      file('next', 'n'),
      end,
    ]);
  const listed = (map: string, data: string, size = map.length) =>
    Buffer.concat([
      pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '5000' }),
      file(
        's',
        tarData(Buffer.from(map)).toString() + data,
        tarData(Buffer.alloc(size)).length + data.length,
      ),
      file('next', 'n'),
      end,
    ]);
  const mapped = (map: string, realSize: string, data: string) =>
    Buffer.concat([
      pax({ 'GNU.sparse.size': realSize, 'GNU.sparse.map': map, 'GNU.sparse.name': 'real' }),
      file('s', data),
      file('next', 'n'),
      end,
    ]);

  it.each([
    [
      'old GNU',
      oldGnu(
        [
          [0, 2],
          [4096, 3],
        ],
        5000,
        'abcde',
      ),
      's',
    ],
    ['pax 0.1', mapped('0,2,4096,3', '5000', 'abcde'), 'real'],
    ['pax 1.0', listed('2\n0\n2\n4096\n3\n', 'abcde'), 's'],
  ])('%s: the data without holes, told as not checked', async (_form, bytes, name) => {
    const { rules, members } = await read(bytes);
    expect(rules).toEqual(['tar.sparse']);
    expect(members).toEqual([
      [name, 'abcde', true],
      ['next', 'n', false],
    ]);
  });

  it.each([
    [
      'old GNU, overlapping',
      oldGnu(
        [
          [0, 3],
          [1, 2],
        ],
        5000,
        'abcde',
      ),
    ],
    [
      'old GNU, more than is there',
      oldGnu(
        [
          [0, 3],
          [4096, 3],
        ],
        5000,
        'abcde',
      ),
    ],
    [
      'old GNU, beyond the end of the file',
      oldGnu(
        [
          [0, 2],
          [4096, 3],
        ],
        4097,
        'abcde',
      ),
    ],
    ['pax 0.1, overlapping', mapped('4096,3,0,2', '5000', 'abcde')],
    ['pax 0.1, an odd list', mapped('0,2,4096', '5000', 'abcde')],
    ['pax 0.1, no numbers', mapped('a,b', '5000', 'abcde')],
    ['pax 0.1, an endless file', mapped('0,5', '9'.repeat(40), 'abcde')],
    ['pax 1.0, less than is there', listed('1\n0\n2\n', 'abcde')],
    ['pax 1.0, an endless list', listed('999999999\n0\n', 'abcde')],
    ['pax 1.0, no list', listed('x', 'abcde')],
  ])('%s: told as a wrong map', async (_form, bytes) => {
    const { rules, members } = await read(bytes);
    expect(rules).toEqual(['tar.sparse-map']);
    expect(members.at(-1)).toEqual(['next', 'n', false]);
  });

  it('reads maps that go on in blocks of their own', async () => {
    const runs = Array.from({ length: 30 }, (_, index) => [index * 100, 1] as const);
    const header = tarHeader('s', tarSize(30), 'S', (bytes) => {
      for (const [index, [offset, size]] of runs.slice(0, 4).entries()) {
        bytes.write(tarSize(offset), 386 + index * 24, 'latin1');
        bytes.write(tarSize(size), 398 + index * 24, 'latin1');
      }
      bytes[482] = 1;
      bytes.write(tarSize(3000), 483, 'latin1');
    });
    const blocks = [runs.slice(4, 25), runs.slice(25)].map((part, block) => {
      const bytes = Buffer.alloc(512);
      for (const [index, [offset, size]] of part.entries()) {
        bytes.write(tarSize(offset), index * 24, 'latin1');
        bytes.write(tarSize(size), 12 + index * 24, 'latin1');
      }
      bytes[504] = block === 0 ? 1 : 0;
      return bytes;
    });
    const bytes = Buffer.concat([
      header,
      ...blocks,
      tarData(Buffer.alloc(30, 'd')),
      file('n', 'x'),
      end,
    ]);
    const { rules, members } = await read(bytes);
    expect(rules).toEqual(['tar.sparse']);
    expect(members.map(([name, text]) => [name, text.length])).toEqual([
      ['s', 30],
      ['n', 1],
    ]);
  });
});

it('any bytes, in any pieces, give the same findings', async () => {
  const seed = Buffer.concat([
    file('a.bin', 'data'),
    pax({ path: 'x/y' }),
    tarHeader('b.bin', '77777777777\0', '0'),
    Buffer.alloc(2048),
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
      fc.nat(seed.length),
      async (edits, sizes, cut) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of edits) bytes[at] = value;
        const kept = cut % 3 === 0 ? bytes.subarray(0, cut) : bytes;
        expect(await read(kept, sizes)).toEqual(await read(kept));
      },
    ),
    { numRuns: 300 },
  );
});
