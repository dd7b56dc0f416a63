import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPatchHead } from '../../shared/delta/patch-head.ts';
import { sniff } from '../../shared/formats/sniff.ts';
import { everyChoice, firmwareLike, makePatch } from '../support/patches.ts';
import { flipped, InspectBench } from '../support/inspect.ts';
import { patches } from '../support/peer-files.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const sound = ['patch.header', 'patch.not-applied', 'container.integrity', 'file.hash'];

/** A number of 7 bits a byte, the highest first. */
function varint(value: number): Buffer {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return Buffer.from(bytes);
}

function changed(bytes: Uint8Array, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

async function stops(name: string, bytes: Uint8Array, rule: string): Promise<void> {
  const rules = await bench.rulesOf(name, bytes);
  expect(rules).toContain(rule);
  expect(rules).not.toContain('container.integrity');
}

describe('headers of patches', () => {
  it.each([
    ['bsdiff40', patches.bsdiff40, 'BSDIFF40: makes 1473 bytes from a source of unknown size'],
    ['vcdiff', patches.xdelta, 'VCDIFF: makes 1473 bytes from 1430 bytes, 1 windows'],
    ['hdiff', patches.hdiffPlain, 'HDIFF13: makes 1473 bytes from 1430 bytes, 3 copies'],
    ['hdiff', patches.hdiffZstd, 'HDIFF13: makes 1473 bytes from 1430 bytes, 3 copies'],
    ['detools', patches.detoolsLzma, 'detools: makes 1473 bytes'],
    ['detools', patches.detoolsBz2, 'detools: makes 1473 bytes'],
    ['detools', patches.detoolsZstd, 'detools: makes 1473 bytes'],
    ['detools', patches.detoolsLz4, 'detools: makes 1473 bytes'],
    ['detools', patches.detoolsCrle, 'detools: makes 1473 bytes'],
    ['detools', patches.detoolsHeatshrink, 'detools: makes 1473 bytes'],
    ['detools', patches.detoolsHdiffpatch, 'detools: makes 1473 bytes'],
    ['detools', patches.detoolsInPlace, 'detools: makes 1473 bytes from 1430 bytes, type in-place'],
  ])('reads %s', async (format, bytes, detail) => {
    const file = await bench.inspect('up.patch', bytes, { version: '2.0.1' });
    expect(file.format).toBe(format);
    expect(
      file.findings.map(({ rule }) => rule).filter((rule) => rule !== 'identity.version-found'),
    ).toEqual(sound);
    expect(file.findings[0]?.detail).toContain(detail);
  });

  it.each(everyChoice)('reads what Slipway makes: $format $compression', async (choice) => {
    const place = { memoryBytes: 32_768, segmentBytes: 1024 };
    const patch = makePatch(firmwareLike(9000, 0), firmwareLike(9000, 1), choice, place);
    const file = await bench.inspect('made.bin', patch);
    const { format, decoder } = readPatchHead(patch);
    expect(file.format).toBe(format.replace(/-inplace$|(?<=hdiff)patch$/, ''));
    const found = file.findings.map(({ rule }) => rule);
    expect(found).toEqual(expect.arrayContaining(['patch.header', 'container.integrity']));
    expect(file.findings[0]?.detail).toContain('makes 9000 bytes');
    if (decoder.memoryBytes !== null) expect(file.findings[0]?.detail).toContain('from 9000 bytes');
  });

  it('takes neither tables nor letters at the beginning for patches without a magic number', () => {
    const beginnings = [
      ['0096e000001b9ad8000096e100001b9b000000', 'a font'],
      ['0080300000181b66000080310000181b8e0000', 'another font'],
      ['008382a0e300000148898570ffffff488b8298', 'code of x86'],
      ['0280300000181b6600008031', 'as if compressed with crle'],
      ['048030b3181b6600008031', 'as if compressed with heatshrink'],
      ['6849504f0210', 'the letters of HPatchLite, but no version'],
      ['68490a480210', 'and no such compression'],
    ] as const;
    for (const [hex, what] of beginnings) {
      const head = Buffer.concat([Buffer.from(hex, 'hex'), randomBytes(4000)]);
      expect(sniff(head), what).toBe('unknown');
    }
  });

  it('tells damage in the header of HPatchLite, and what others than Slipway read', async () => {
    const patch = makePatch(firmwareLike(900, 0), firmwareLike(900, 1), {
      format: 'hpatchlite',
      compression: 'tinyuz',
    });
    const plain = changed(patch, (copy) => void (copy[2] = 0));
    await stops('plain.patch', plain, 'patch.damaged');
    const other = changed(patch, (copy) => {
      copy[2] = 5;
      copy[3] = (copy[3] ?? 0) ^ 0xc0;
    });
    const [header] = (await bench.inspect('zstd.patch', other)).findings;
    expect(header?.detail).toContain('compression zstd, for an update in place');
  });

  it('never passes a patch whose content it did not apply', async () => {
    for (const bytes of Object.values(patches)) {
      const file = await bench.inspect('up.patch', bytes);
      expect(file.findings.some(({ verdict }) => verdict !== 'pass')).toBe(
        file.format !== 'unknown',
      );
    }
  });

  it('reads what bsdiff of Debian makes', async () => {
    const [from, to, out] = ['from', 'to', 'out'].map((name) => join(bench.folder, name));
    writeFileSync(from ?? '', Buffer.alloc(5000, 'firmware 1'));
    writeFileSync(to ?? '', Buffer.alloc(6000, 'firmware 2'));
    execFileSync('bsdiff', [from ?? '', to ?? '', out ?? '']);
    const file = await bench.inspect('debian.patch', readFileSync(out ?? ''));
    expect(file.findings.map(({ rule }) => rule)).toEqual(sound);
    expect(file.findings[0]?.detail).toContain('makes 6000 bytes');
  });

  it('warns of compression that only one decoder knows', async () => {
    for (const bytes of [patches.xdeltaDjw, patches.xdeltaLzma, patches.hdiffTamp])
      expect(await bench.rulesOf('own.patch', bytes)).toContain('patch.private-compression');
  });

  it.each([
    ['bsdiff40', patches.bsdiff40, 31],
    ['vcdiff', patches.xdelta, 5],
    ['hdiff', patches.hdiffPlain, 9],
    ['hdiff', patches.hdiffZstd, 14],
  ] as const)('tells that %s is cut', async (_format, bytes, fewest) => {
    for (let size = fewest; size < bytes.length; size += 1) {
      const rules = await bench.rulesOf('cut.patch', bytes.subarray(0, size));
      const told = rules.filter((rule) => ['patch.truncated', 'patch.damaged'].includes(rule));
      expect(told, `${size} bytes`).toHaveLength(1);
      expect(rules).not.toContain('container.integrity');
    }
  });

  it('reads the other format of mendsley/bsdiff', async () => {
    const stream = patches.bsdiff40.subarray(32, 32 + Number(patches.bsdiff40.readBigInt64LE(8)));
    const size = Buffer.alloc(8);
    size.writeBigInt64LE(4711n);
    const patch = Buffer.concat([Buffer.from('ENDSLEY/BSDIFF43'), size, stream]);
    expect((await bench.inspect('e.patch', patch)).findings[0]?.detail).toContain('4711 bytes');
    await stops('e.patch', patch.subarray(0, 20), 'patch.truncated');
    await stops('e.patch', patch.subarray(0, 30), 'patch.damaged');
    await stops('e.patch', flipped(patch, 24), 'patch.damaged');
    await stops('e.patch', flipped(patch, 23, 0x80), 'patch.damaged');
    await stops('e.patch', flipped(patch, 22), 'patch.absurd');
  });
});

describe('lies of BSDIFF40', () => {
  const { bsdiff40 } = patches;
  const lies: readonly (readonly [rule: string, change: (copy: Buffer) => unknown])[] = [
    ['patch.truncated', (copy) => copy.writeBigInt64LE(100_000n, 8)],
    ['patch.damaged', (copy) => copy.writeBigInt64LE(-5n, 8)],
    ['patch.damaged', (copy) => copy.writeBigInt64LE(3n, 8)],
    ['patch.damaged', (copy) => copy.writeBigInt64LE(60n, 16)],
    ['patch.damaged', (copy) => copy.writeBigInt64LE(-1n, 24)],
    ['patch.absurd', (copy) => copy.writeBigInt64LE(2n ** 40n, 24)],
    ['patch.absurd', (copy) => copy.writeBigInt64LE(0n, 24)],
    ['patch.damaged', (copy) => copy.fill(0, 32, 33)],
  ];
  it.each(lies)('tells %s', async (rule, change) => {
    await stops('lie.patch', changed(bsdiff40, change), rule);
  });
});

describe('lies of VCDIFF', () => {
  const { xdelta } = patches;
  /** A window that adds the bytes: no segment, one ADD instruction. */
  const makeWindow = (data: Uint8Array, indicator = 0, segment: readonly number[] = []): Buffer => {
    const delta = Buffer.concat([
      varint(data.length),
      Buffer.from([0]),
      varint(data.length),
      varint(1),
      varint(0),
      data,
      Buffer.from([data.length + 1]),
    ]);
    return Buffer.concat([Buffer.from([indicator, ...segment]), varint(delta.length), delta]);
  };
  const vcdiff = (...windows: Uint8Array[]): Buffer =>
    Buffer.concat([Buffer.from([0xd6, 0xc3, 0xc4, 0, 0]), ...windows]);
  const data = Buffer.from('abc');

  it('sums several windows and copies from the target', async () => {
    const patch = vcdiff(
      makeWindow(data),
      makeWindow(data, 2, [3, 0]),
      makeWindow(data, 1, [9, 1]),
    );
    const file = await bench.inspect('w.patch', patch);
    expect(file.findings[0]?.detail).toContain('makes 9 bytes from 10 bytes, 3 windows');
    expect(file.findings[0]?.detail).toContain('no checksums');
  });

  it.each([
    ['patch.damaged', vcdiff()],
    ['patch.damaged', vcdiff(makeWindow(data, 2, [4, 0]))],
    ['patch.damaged', vcdiff(makeWindow(data, 3, [1, 0]))],
    ['patch.damaged', vcdiff(makeWindow(data, 8))],
    ['patch.damaged', changed(vcdiff(makeWindow(data)), (copy) => void (copy[6] = 8))],
    ['patch.damaged', changed(vcdiff(makeWindow(data)), (copy) => void (copy[8] = 1))],
    ['patch.damaged', changed(vcdiff(makeWindow(data)), (copy) => void (copy[9] = 2))],
    ['patch.truncated', vcdiff(makeWindow(data)).subarray(0, -1)],
    ['patch.damaged', changed(xdelta, (copy) => void (copy[3] = 1))],
    ['patch.damaged', changed(xdelta, (copy) => void (copy[4] = 0x10))],
    ['patch.damaged', changed(xdelta, (copy) => void (copy[4] = 2))],
    ['patch.absurd', vcdiff(makeWindow(Buffer.alloc(0)))],
  ] as const)('tells %s', async (rule, bytes) => {
    await stops('lie.patch', bytes, rule);
  });

  it('stops at a number that has no end', async () => {
    const endless = Buffer.concat([vcdiff(), Buffer.from([0]), Buffer.alloc(5000, 0x80)]);
    await stops('endless.patch', endless, 'patch.damaged');
  });
});

describe('lies of HDIFF', () => {
  const { hdiffPlain, hdiffZstd } = patches;
  const single = (tail: number) =>
    Buffer.concat([
      Buffer.from('HDIFFSF20&\0'),
      ...[1473, 1430, 3, 1473, 20, 0].map(varint),
      Buffer.alloc(tail, 1),
    ]);

  it('reads the form with one stream and recognises patches of folders', async () => {
    const file = await bench.inspect('sf.patch', single(20));
    expect(file.findings[0]?.detail).toContain('HDIFFSF20: makes 1473 bytes from 1430 bytes');
    const folder = await bench.inspect('dir.patch', Buffer.from('HDIFF19&zstd&fadler64\0more'));
    expect(folder.findings[0]).toMatchObject({ rule: 'patch.not-applied' });
  });

  it.each([
    ['patch.truncated', single(19)],
    ['patch.damaged', single(21)],
    ['patch.damaged', Buffer.concat([hdiffPlain, Buffer.alloc(1)])],
    ['patch.damaged', flipped(hdiffPlain, 6)],
    ['patch.damaged', changed(hdiffZstd, (copy) => void (copy[10] = 0xff))],
    ['patch.damaged', Buffer.from(`HDIFF13&${'z'.repeat(400)}`)],
    ['patch.truncated', Buffer.from('HDIFF13&zlib')],
    ['patch.damaged', changed(hdiffPlain, (copy) => void (copy[15] = 1))],
  ] as const)('tells %s', async (rule, bytes) => {
    await stops('lie.patch', bytes, rule);
  });
});

describe('lies of detools', () => {
  /** A size: 6 bits and a sign, then 7 bits a byte, the lowest first. */
  const size = (value: number) => {
    const bytes = [value & 0x3f];
    for (let rest = value >>> 6; rest > 0; rest >>>= 7) {
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
      bytes.push(rest & 0x7f);
    }
    return Buffer.from(bytes);
  };
  const lzma = patches.detoolsLzma.subarray(3);
  const inPlace = (...sizes: number[]) =>
    Buffer.concat([Buffer.from([0x11]), ...sizes.map(size), lzma]);

  it('makes the header that detools makes', async () => {
    const { detoolsInPlace } = patches;
    const made = inPlace(8192, 1024, 6144, 1430, 1473).subarray(0, 12);
    expect(made).toEqual(detoolsInPlace.subarray(0, 12));
  });

  it.each([
    ['segments that do not fill the memory', inPlace(8192, 1000, 6000, 1430, 1473)],
    ['segments of no size', inPlace(8192, 0, 6144, 1430, 1473)],
    ['a shift inside a segment', inPlace(8192, 1024, 6000, 1430, 1473)],
    ['no shift', inPlace(8192, 1024, 0, 1430, 1473)],
    ['a shift out of the memory', inPlace(8192, 1024, 9216, 1430, 1473)],
    ['a target that does not fit', inPlace(8192, 1024, 6144, 1430, 8193)],
  ])('tells %s', async (_what, bytes) => {
    await stops('lie.patch', bytes, 'patch.damaged');
  });

  it('tells a target that no device holds', async () => {
    const absurd = Buffer.concat([Buffer.from([1, 0x80, 0x80, 0x80, 0x80, 0x80, 1]), lzma]);
    await stops('lie.patch', absurd, 'patch.absurd');
  });
});

describe('Android payloads', () => {
  const payload = (change: (copy: Buffer) => void = () => undefined) => {
    const header = Buffer.alloc(24);
    header.write('CrAU');
    header.writeBigUInt64BE(2n, 4);
    header.writeBigUInt64BE(10n, 12);
    header.writeUInt32BE(6, 20);
    // A manifest begins with minor_version or block_size: field 3 or 12, a number.
    return changed(Buffer.concat([header, Buffer.alloc(10, 0x18), Buffer.alloc(40)]), change);
  };

  it('reads the header', async () => {
    const file = await bench.inspect('payload.bin', payload());
    expect(file.findings.map(({ rule }) => rule)).toEqual(sound);
    expect(file.findings[0]?.detail).toBe(
      'Android payload: version 2, manifest of 10 bytes, metadata signature of 6 bytes, 34 bytes of data',
    );
  });

  it.each([
    ['patch.truncated', payload().subarray(0, 20)],
    ['patch.truncated', payload().subarray(0, 30)],
    ['patch.damaged', payload((copy) => copy.writeBigUInt64BE(3n, 4))],
    ['patch.damaged', payload((copy) => copy.writeBigUInt64BE(0n, 12))],
    ['patch.damaged', payload((copy) => copy.writeBigUInt64BE(2n ** 40n, 12))],
    ['patch.truncated', payload((copy) => copy.writeUInt32BE(0xffff_ffff, 20))],
    ['patch.damaged', payload((copy) => void (copy[24] = 0))],
  ] as const)('tells %s', async (rule, bytes) => {
    await stops('lie.bin', bytes, rule);
  });
});
