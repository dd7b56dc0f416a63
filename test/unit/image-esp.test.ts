import { afterAll, describe, expect, it } from 'vitest';
import { closeEspImage, espImage } from '../support/esp-images.ts';
import { flipped, InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

/** The older chip has 8 header bytes and no appended hash. */
function esp8266Image(): Buffer {
  const header = Buffer.from([0xe9, 1, 0, 0x20, 0x10, 0, 0x10, 0x40]);
  return closeEspImage(header, [[0x4010_0000, Buffer.alloc(500, 0x21)]], false);
}

const whole = espImage();

describe('ESP images', () => {
  it('passes a whole image and tells its chip, descriptor and segments', async () => {
    const file = await bench.inspect('app.bin', whole);
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'esp.chip',
      'esp.descriptor',
      'container.integrity',
      'file.hash',
    ]);
    expect(file.findings[1]?.detail).toContain('project "pump-controller", version "2.4.1"');
    expect(file.segments).toEqual([
      { start: 0x3f40_0020, sizeBytes: 274 },
      { start: 0x4008_0000, sizeBytes: 1000 },
    ]);
  });

  it('passes an ESP8266 image and one that is padded with FF', async () => {
    expect(await bench.rulesOf('8266.bin', esp8266Image())).toContain('container.integrity');
    const padded = Buffer.concat([whole, Buffer.alloc(5000, 0xff)]);
    expect(await bench.rulesOf('padded.bin', padded)).toContain('container.integrity');
  });

  it.each([
    ['esp.checksum', flipped(espImage({ hashed: false }), 1200)],
    ['esp.checksum', flipped(whole, 1200)],
    ['esp.sha256', flipped(whole, whole.length - 1)],
    ['esp.sha256', flipped(whole, 16)],
    ['esp.truncated', whole.subarray(0, whole.length - 1)],
    ['esp.truncated', whole.subarray(0, whole.length - 40)],
    ['esp.truncated', whole.subarray(0, 26)],
    ['esp.truncated', flipped(whole, 31, 0x7f)],
    ['esp.entry', espImage({ entry: 0x4009_0000 })],
    ['esp.chip-unknown', espImage({ chipId: 77 })],
    ['image.dirty-build', espImage({ version: 'v2.4.1-dirty' })],
    ['esp.rest', Buffer.concat([whole, Buffer.from('more')])],
    [
      'esp.signature',
      Buffer.concat([
        whole,
        Buffer.alloc(4096 - (whole.length % 4096), 0xff),
        Buffer.alloc(4096, 0xe7),
      ]),
    ],
  ])('tells %s', async (rule, bytes) => {
    expect(await bench.rulesOf('app.bin', bytes)).toContain(rule);
  });

  it('names offset, expected and found of a wrong checksum', async () => {
    const { findings } = await bench.inspect('app.bin', flipped(whole, 1200, 3));
    const { evidence } = findings.find(({ rule }) => rule === 'esp.checksum') ?? {};
    const at = whole.length - 33;
    expect(evidence).toEqual({
      offset: at,
      expected: ((whole[at] ?? 0) ^ 3).toString(16).toUpperCase().padStart(2, '0'),
      found: (whole[at] ?? 0).toString(16).toUpperCase().padStart(2, '0'),
    });
  });

  it.each([
    ['ESP32', 0, 'esp.chip'],
    ['ESP32-WROOM-32E', 0, 'esp.chip'],
    ['Board with ESP32-S3', 9, 'esp.chip'],
    ['ESP32-S3', 0, 'esp.chip-wrong'],
    ['ESP32', 5, 'esp.chip-wrong'],
    ['STM32F103 medium-density', 0, 'esp.chip-wrong'],
  ])('a component with %s and an image for chip %i give %s', async (chip, chipId, rule) => {
    expect(await bench.rulesOf('app.bin', espImage({ chipId }), { chip })).toContain(rule);
  });

  it.each([
    [0, 0, 'ESP32'],
    [0, 399, 'ESP32, chip revision 0.0 to 3.99'],
    [300, 0xffff, 'ESP32, chip revision 3.0 and newer'],
  ])('tells the chip revisions %i to %i', async (lowest, highest, detail) => {
    const image = espImage({ revisions: [lowest, highest] });
    const file = await bench.inspect('app.bin', image);
    expect(file.findings.find(({ rule }) => rule === 'esp.chip')?.detail).toBe(detail);
  });

  it('stops an image that no revision of the chip can run', async () => {
    const rules = await bench.rulesOf('app.bin', espImage({ revisions: [300, 299] }));
    expect(rules).toContain('esp.revision');
    expect(rules).not.toContain('container.integrity');
  });

  it('blocks an image that is larger than the memory', async () => {
    const memory = [{ name: 'slot', start: 0x1_0000, sizeBytes: whole.length }];
    const component = 'mcu';
    const fits = await bench.rulesOf('app.bin', whole, { memory, component });
    expect(fits).not.toContain('image.outside-memory');
    const larger = Buffer.concat([whole, Buffer.alloc(1, 0xff)]);
    const tooLarge = await bench.rulesOf('app.bin', larger, { memory, component });
    expect(tooLarge).toContain('image.outside-memory');
  });

  it.each([
    ['2.4.1', '2.4.1', 'identity.version-found'],
    ['v2.4.1', '2.4.1', 'identity.version-found'],
    ['v2.4.1-3-gabcdef', '2.4.1', 'identity.version-found'],
    ['2.4.10', '2.4.1', 'identity.version-differs'],
    ['2.4.0', '2.4.1', 'identity.version-differs'],
    ['1', '2.4.1', 'identity.version-not-found'],
  ])('a descriptor that says %s, declared %s, gives %s', async (described, version, rule) => {
    const rules = await bench.rulesOf('app.bin', espImage({ version: described }), { version });
    expect(rules.filter((id) => id.startsWith('identity.version'))).toEqual([rule]);
  });

  it('a text elsewhere does not outvote the descriptor', async () => {
    const image = Buffer.concat([espImage({ version: '2.4.0' }), Buffer.from('2.4.1')]);
    const rules = await bench.rulesOf('app.bin', image, { version: '2.4.1' });
    expect(rules).toContain('identity.version-differs');
    expect(rules).not.toContain('identity.version-found');
  });
});
