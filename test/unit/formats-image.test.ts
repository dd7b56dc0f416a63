import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../shared/domain/problem.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { crc32 } from '../../shared/formats/crc32.ts';
import { readFirmwareImage } from '../../shared/formats/firmware-image.ts';
import { ImageBuilder } from '../../shared/formats/image-builder.ts';
import { readRarHeaders } from '../../shared/formats/rar.ts';
import { SRecordReader } from '../../shared/formats/s-record.ts';
import { sniff } from '../../shared/formats/sniff.ts';

const text = (value: string): Uint8Array => Uint8Array.from(value, (c) => c.charCodeAt(0));
const srec = 'S00600004844521B\nS107000001020304EE\nS9030000FC\n';

describe('readFirmwareImage', () => {
  it('merges contiguous records', () => {
    const image = readFirmwareImage('a.s19', text(srec));
    expect(image.format).toBe('s-record');
    expect(image.segments).toEqual([{ address: 0, bytes: Uint8Array.of(1, 2, 3, 4) }]);
  });

  it('refuses a wrong checksum with line and column', () => {
    const wrong = text(srec.replace('04EE', '04EF'));
    expect(() => readFirmwareImage('a.s19', wrong)).toThrow(/line 2, column 17/);
  });

  it('refuses an ELF as an image, and takes raw bytes as they are', () => {
    const elf = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0);
    expect(() => readFirmwareImage('a.bin', elf)).toThrow(ProblemError);
    const raw = Uint8Array.of(200, 2, 1);
    expect(readFirmwareImage('a.bin', raw).segments).toEqual([{ address: null, bytes: raw }]);
  });

  it('throws nothing but problems, whatever the bytes', () => {
    const mutated = fc
      .tuple(fc.constantFrom(srec, ':0400000001020304F2\n:00000001FF\n'), fc.nat(), fc.nat(255))
      .map(([base, at, value]) => {
        const bytes = text(base);
        bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated), (bytes) => {
        try {
          readFirmwareImage('a', bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProblemError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('streaming', () => {
  it('reads the same whatever the chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 })), (sizes) => {
        const reader = new SRecordReader(() => undefined);
        const bytes = text(srec);
        let at = 0;
        for (const size of sizes) {
          reader.push(bytes.subarray(at, at + size));
          at += size;
        }
        reader.push(bytes.subarray(at));
        expect(reader.finish().segments[0]?.bytes).toEqual(Uint8Array.of(1, 2, 3, 4));
      }),
    );
  });

  it('merges records like a plain map of addresses', () => {
    const record = fc.tuple(fc.nat(60), fc.uint8Array({ minLength: 1, maxLength: 9 }));
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        const builder = new ImageBuilder();
        const addresses = new Set<number>();
        for (const [index, [address, bytes]] of records.entries()) {
          builder.add(address, bytes, 0, bytes.length, { line: index, offset: 0 });
          bytes.forEach((_, at) => {
            addresses.add(address + at);
          });
        }
        const { segments, overlaps } = builder.finish();
        const covered = segments.flatMap(({ address, bytes }) =>
          [...bytes].map((_, at) => address + at),
        );
        expect(covered).toEqual([...addresses].sort((a, b) => a - b));
        const given = records.reduce((sum, [, bytes]) => sum + bytes.length, 0);
        expect(overlaps.length > 0).toBe(given > addresses.size);
      }),
    );
  });
});

describe('sniff', () => {
  it.each([
    ['elf', [0x7f, 0x45, 0x4c, 0x46]],
    ['mcuboot', [0x3d, 0xb8, 0xf3, 0x96]],
    ['zip', [0x50, 0x4b, 3, 4]],
    ['rar', [0x52, 0x61, 0x72, 0x21, 0x1a, 7, 1, 0]],
    ['gzip', [0x1f, 0x8b, 8]],
    ['bsdiff40', [...text('BSDIFF40')]],
    ['bsdiff43', [...text('ENDSLEY/BSDIFF43')]],
    ['uf2', [0x55, 0x46, 0x32, 0x0a, 0x57, 0x51, 0x5d, 0x9e]],
    ['uimage', [0x27, 5, 0x19, 0x56]],
    ['s-record', [...text(srec)]],
    ['intel-hex', [...text(':00000001FF\n')]],
    ['python', [...text('import utime\n')]],
    ['unknown', [0xff, 1, 0xfe]],
  ])('recognises %s', (id, bytes) => {
    expect(sniff(Uint8Array.from(bytes))).toBe(id);
  });

  it('recognises a Cortex-M vector table', () => {
    const table = new DataView(new ArrayBuffer(64));
    table.setUint32(0, 0x2000_5000, true);
    for (let index = 1; index < 16; index += 1) table.setUint32(index * 4, 0x0800_0101, true);
    expect(sniff(new Uint8Array(table.buffer))).toBe('cortex-m');
    table.setUint32(4, 0x0800_0100, true);
    expect(sniff(new Uint8Array(table.buffer))).toBe('unknown');
  });
});

describe('RAR headers', () => {
  const block = (...body: number[]): number[] => {
    const sized = [body.length, ...body];
    const sum = crc32(Uint8Array.from(sized));
    return [sum & 0xff, (sum >>> 8) & 0xff, (sum >>> 16) & 0xff, sum >>> 24, ...sized];
  };
  const file = [...block(2, 2, 5, 0, 5, 0, 0, 0, 1, 0x61), 1, 2, 3, 4, 5];
  const archive = [0x52, 0x61, 0x72, 0x21, 0x1a, 7, 1, 0, ...block(1, 0, 0), ...file];
  const whole = [...archive, ...block(5, 0, 0)];
  const rules = async (bytes: readonly number[]): Promise<string[]> => {
    const told: string[] = [];
    await readRarHeaders(memorySource(Uint8Array.from(bytes)), (rule) => told.push(rule));
    return told;
  };

  it('accepts a whole RAR 5 archive and tells cuts and edits', async () => {
    expect(await rules(whole)).toEqual([]);
    expect(await rules(archive)).toEqual(['rar.truncated']);
    expect(await rules(archive.slice(0, -2))).toEqual(['rar.truncated']);
    expect(await rules(whole.with(14, 9))).toEqual(['rar.damaged']);
  });
});
