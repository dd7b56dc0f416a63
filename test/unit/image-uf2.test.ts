import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { flipped, InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const rp2040 = 0xe48b_ff56;

interface BlockFields {
  readonly flags?: number;
  readonly address: number;
  readonly data: Uint8Array;
  readonly number: number;
  readonly count: number;
  readonly family?: number;
}

function block({ flags = 0x2000, address, data, number, count, family = rp2040 }: BlockFields) {
  const bytes = Buffer.alloc(512);
  const words = [0x0a324655, 0x9e5d5157, flags, address, data.length, number, count, family];
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, index * 4);
  bytes.set(data, 32);
  bytes.writeUInt32LE(0x0ab16f30, 508);
  return bytes;
}

const content = Buffer.from(Array.from({ length: 1024 }, (_, index) => (index * 7) & 0xff));
// The text lies across the border of the first two blocks.
content.write('firmware 3.1.4 build', 246, 'latin1');

function uf2(base = 0x1000_0000, family = rp2040): Buffer[] {
  return [0, 1, 2, 3].map((number) =>
    block({
      address: base + number * 256,
      data: content.subarray(number * 256, number * 256 + 256),
      number,
      count: 4,
      family,
    }),
  );
}
const whole = Buffer.concat(uf2());

/** The MD5 of `content`, in the last bytes of every block's data area. */
function withMd5(blocks: readonly Buffer[], sizeBytes = content.length): Buffer {
  const digest = createHash('md5').update(content).digest();
  for (const bytes of blocks) {
    bytes.writeUInt32LE(0x6000, 8);
    bytes.writeUInt32LE(0x1000_0000, 484);
    bytes.writeUInt32LE(sizeBytes, 488);
    bytes.set(digest, 492);
  }
  return Buffer.concat(blocks);
}

function edited(index: number, change: (bytes: Buffer) => void): Buffer {
  const blocks = uf2();
  const bytes = blocks[index];
  if (bytes !== undefined) change(bytes);
  return Buffer.concat(blocks);
}

describe('UF2 files', () => {
  it('passes a whole file, lists where it goes and finds a text across two blocks', async () => {
    const memory = [{ name: 'flash', start: 0x1000_0000, sizeBytes: 2 * 1024 * 1024 }];
    const file = await bench.inspect('app.uf2', whole, { memory, version: '3.1.4' });
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'image.fits-memory',
      'container.integrity',
      'identity.version-found',
      'file.hash',
    ]);
    expect(file.segments).toEqual([{ start: 0x1000_0000, sizeBytes: 1024 }]);
  });

  it('finds a secret across two blocks', async () => {
    const text = 'https://ota:Xy7-kQ92@cloud.test/fw';
    const blocks = [text.slice(0, 20), text.slice(20)].map((part, number) =>
      block({ address: 0x1000_0000 + number * 20, data: Buffer.from(part), number, count: 2 }),
    );
    expect(await bench.rulesOf('key.uf2', Buffer.concat(blocks))).toContain(
      'secret.url-credentials',
    );
  });

  it('names the family and compares it with the chip', async () => {
    const file = await bench.inspect('app.uf2', whole, { chip: 'RP2040' });
    const summary = file.findings.find(({ rule }) => rule === 'container.integrity');
    expect(summary?.detail).toContain('family 0xE48BFF56 (RP2040)');
    const nrf = Buffer.concat(uf2(0x1000, 0xada5_2840));
    const unknown = Buffer.concat(uf2(0x1000, 0x1234_5678));
    for (const [bytes, chip, isWrong] of [
      [whole, 'RP2350', true],
      [whole, 'nRF52840', true],
      [whole, 'a board of its own', false],
      [nrf, 'nRF52840-QIAA', false],
      [nrf, 'nRF52', false],
      [nrf, 'nRF52833', true],
      [unknown, 'RP2040', false],
      [Buffer.concat(uf2(0x1000, 0x1c5f_21b0)), 'ESP32-S3', true],
      [Buffer.concat(uf2(0x1000, 0x1c5f_21b0)), 'ESP32-WROOM-32E', false],
      [Buffer.concat(uf2(0x1000, 0x5511_4460)), 'ATSAMD51J19', false],
    ] as const) {
      const rules = await bench.rulesOf('app.uf2', bytes, { chip });
      expect(rules.includes('uf2.family-wrong'), `${chip}`).toBe(isWrong);
    }
  });

  it('blocks one that goes outside the memory', async () => {
    const memory = [{ name: 'flash', start: 0x1000_0000, sizeBytes: 1023 }];
    expect(await bench.rulesOf('a.uf2', whole, { memory })).toContain('image.outside-memory');
  });

  it('passes two families in one file and the block for erratum RP2350-E10', async () => {
    const absolute = block({
      address: 0x10ff_ff00,
      data: Buffer.alloc(256, 0xef),
      number: 0,
      count: 2,
      family: 0xe48bff57,
    });
    const bytes = Buffer.concat([absolute, ...uf2(), ...uf2(0x1000_0000, 0xe48bff59)]);
    expect(await bench.rulesOf('two.uf2', bytes)).toEqual(['container.integrity', 'file.hash']);
  });

  it('passes a right MD5', async () => {
    const rules = await bench.rulesOf('md5.uf2', withMd5(uf2()));
    expect(rules).toEqual(['container.integrity', 'file.hash']);
  });

  /** As esptool does: each block has the MD5 of its own payload, right behind it. */
  function withOwnMd5(flip: 0 | 1): Buffer {
    const blocks = uf2().map((bytes, number) => {
      const data = content.subarray(number * 256, number * 256 + 256);
      bytes.writeUInt32LE(0x6000, 8);
      bytes.writeUInt32LE(0x1000_0000 + number * 256, 288);
      bytes.writeUInt32LE(256, 292);
      bytes.set(createHash('md5').update(data).digest(), 296);
      return bytes;
    });
    return flipped(Buffer.concat(blocks), 3 * 512 + 100, flip);
  }

  it('reads an MD5 that stands right behind a shorter payload', async () => {
    const right = await bench.rulesOf('own.uf2', withOwnMd5(0));
    expect(right).toEqual(['container.integrity', 'file.hash']);
    const { findings } = await bench.inspect('own.uf2', withOwnMd5(1));
    expect(findings[0]).toMatchObject({ rule: 'uf2.md5', evidence: { offset: 3 * 512 + 296 } });
  });

  it.each([
    ['uf2.truncated', whole.subarray(0, -1)],
    ['uf2.incomplete', whole.subarray(0, -512)],
    ['uf2.magic', flipped(whole, 512)],
    ['uf2.magic', flipped(whole, 1024 - 1)],
    ['uf2.payload', edited(1, (bytes) => bytes.writeUInt32LE(477, 16))],
    ['uf2.count', edited(1, (bytes) => bytes.writeUInt32LE(5, 24))],
    ['uf2.count', edited(3, (bytes) => bytes.writeUInt32LE(4, 20))],
    ['uf2.order', edited(1, (bytes) => bytes.writeUInt32LE(2, 20))],
    ['uf2.alignment', edited(3, (bytes) => bytes.writeUInt32LE(0x1000_0401, 12))],
    ['uf2.overlap', edited(3, (bytes) => bytes.writeUInt32LE(0x1000_0004, 12))],
    ['uf2.no-data', Buffer.concat(uf2().map((bytes) => flipped(bytes, 8)))],
    ['uf2.md5', flipped(withMd5(uf2()), 40)],
    ['uf2.md5-not-checked', withMd5(uf2(), content.length + 1)],
  ])('tells %s', async (rule, bytes) => {
    const rules = await bench.rulesOf('a.uf2', bytes);
    expect(rules).toContain(rule);
    if (rule !== 'uf2.alignment' && rule !== 'uf2.md5-not-checked') {
      expect(rules).not.toContain('container.integrity');
    }
  });
});
