import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { crc16 } from '../../shared/formats/crc16.ts';
import { flipped, InspectBench } from '../support/inspect.ts';
import { changedPac, makePac } from '../support/pac-package.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const content = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);
const files = [
  { id: 'HOST_FDL', fileName: 'fdl1.img', data: content(100) },
  { id: 'FDL2', fileName: 'fdl2.img', data: content(200) },
  { id: 'NV', fileName: 'nvitem.bin', data: content(64) },
  { id: 'AP', fileName: '8910_module.img', data: content(5001) },
  { id: 'FLASH', fileName: '', data: content(0), flag: 0 },
  { id: '', fileName: 'UIX8910_MODEM.xml', data: Buffer.from('<BMAConfig/>'), flag: 2 },
] as const;
const pac = makePac(files);
const headerBytes = 2124;
const entryBytes = 2580;
/** Offset of a field in the n-th entry. */
const field = (entry: number, at: number) => headerBytes + entry * entryBytes + at;

describe('CRC-16/ARC', () => {
  it('gives the check value of the catalogue, in any pieces', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0xbb3d);
    expect(crc16(Buffer.from('56789'), crc16(Buffer.from('1234')))).toBe(0xbb3d);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (bytes, cut) => {
        const slow = (from: Uint8Array) =>
          from.reduce((crc, byte) => {
            let value = crc ^ byte;
            for (let bit = 0; bit < 8; bit += 1)
              value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
            return value;
          }, 0);
        expect(crc16(bytes.subarray(cut), crc16(bytes.subarray(0, cut)))).toBe(slow(bytes));
      }),
    );
  });
});

describe('PAC packages', () => {
  it.each(['BP_R1.0.0', 'BP_R2.0.1'])(
    'passes version %s and tells what it is for',
    async (version) => {
      const file = await bench.inspect('up.pack', makePac(files, { version }), {
        version: 'EC200UCNAAR03A05M08',
      });
      expect(file.format).toBe('pac');
      expect(file.findings.map(({ rule }) => rule)).toEqual([
        'pac.header',
        'container.integrity',
        'identity.version-found',
        'file.hash',
      ]);
      expect(file.findings[0]?.detail).toBe(
        'product "UIX8910_MODEM", firmware "EC200UCNAAR03A05M08", 5 files: ' +
          'HOST_FDL, FDL2, NV, AP, UIX8910_MODEM.xml',
      );
    },
  );

  it('misses the declared version when the package carries another one', async () => {
    const rules = await bench.rulesOf('up.pac', pac, { version: 'EC200UCNAAR03A09M08' });
    expect(rules).toContain('identity.version-not-found');
  });

  it('tells a newer version of the format, an encrypted package and one without checksums', async () => {
    const newer = makePac(files, { version: 'BP_R2.7.0' });
    expect(await bench.rulesOf('newer.pac', newer)).toContain('pac.version');
    const encrypted = changedPac(pac, (copy) => copy.writeUInt16LE(1, 1316));
    expect(await bench.rulesOf('encrypted.pac', encrypted)).toContain('pac.encrypted');
    const old = Buffer.from(pac);
    old.fill(0, 2116, 2124);
    expect(await bench.rulesOf('old.pac', old)).toEqual([
      'pac.no-crc',
      'pac.header',
      'container.integrity',
      'file.hash',
    ]);
  });

  it('warns of a package without loader or NV data, and of an empty file', async () => {
    const partial = await bench.inspect('part.pac', makePac(files.slice(3)));
    expect(partial.findings.filter(({ rule }) => rule === 'pac.missing-part')).toHaveLength(2);
    const empty = makePac([...files, { id: 'PS', fileName: 'ps.img', data: content(0) }]);
    expect(await bench.rulesOf('empty.pac', empty)).toContain('pac.empty-file');
  });

  it('tells every cut', async () => {
    for (const size of [10, 30, 2123, 2124, 5000, pac.length - 1]) {
      const rules = await bench.rulesOf('cut.pac', pac.subarray(0, size));
      expect(rules, `${size} bytes`).toContain('pac.truncated');
    }
    const longer = Buffer.concat([pac, Buffer.alloc(1)]);
    expect(await bench.rulesOf('longer.pac', longer)).toContain('pac.size');
  });

  it('tells a flipped bit wherever it is', async () => {
    for (const at of [44, 52, 600, 1076, 1080, 1500, 2120, 2121]) {
      const rules = await bench.rulesOf('bit.pac', flipped(pac, at));
      expect(rules, `offset ${at}`).toContain('pac.header-crc');
    }
    // A wrong checksum of the content is a wrong header only where it stands.
    for (const at of [2122, field(0, 900), field(3, 1600), pac.length - 1]) {
      const rules = await bench.rulesOf('bit.pac', flipped(pac, at));
      expect(rules, `offset ${at}`).toContain('pac.content-crc');
      expect(rules).not.toContain('container.integrity');
    }
  });

  it.each([
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(0, 1076)],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(0xffff_ffff, 1076)],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(100, 1076)],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(12, 1080)],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(0xffff_fff0, 1080)],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(2579, field(1, 0))],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(0x7fff_ffff, field(1, 1540))],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(1, field(1, 1532))],
    ['pac.entry', (copy: Buffer) => copy.writeUInt32LE(1, field(1, 1536))],
    ['pac.overlap', (copy: Buffer) => copy.writeUInt32LE(2124, field(2, 1552))],
    ['pac.overlap', (copy: Buffer) => copy.writeUInt32LE(copy.length - 20, field(2, 1552))],
    ['pac.unsafe-name', (copy: Buffer) => copy.write('../fdl1.img\0', field(0, 516), 'utf16le')],
    ['pac.truncated', (copy: Buffer) => copy.writeUInt32LE(1, 44)],
  ] as const)('tells the lie %s', async (rule, change) => {
    const rules = await bench.rulesOf('lie.pac', changedPac(pac, change));
    expect(rules).toContain(rule);
    expect(rules).not.toContain('container.integrity');
  });
});
