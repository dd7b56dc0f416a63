import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { McuPackage } from '../../electron/boards/quectel/qiot-session.ts';
import { qiotFaultText } from '../../shared/formats/quectel.ts';
import { type Bench, openBench, rawImage } from '../support/bench.ts';

const protocol = 'qiot' as const;
const mcu = { componentId: 'STM32', version: '1.0.0' };
/** More than one block of the module, and an end that is no whole read. */
const bytes = new Uint8Array(randomBytes(50_001));
const mcuPackage: McuPackage = {
  componentId: 'STM32',
  sourceVersion: '1.0.0',
  targetVersion: '1.1.0',
  bytes,
};
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('over a PTY: the plan is asked for, the package taken block by block, and the new version reported', async () => {
  const linkPath = join(bench.folder, 'module');
  await bench.boards.start('quectel', { linkPath, mcuPackage });
  const image = rawImage(bytes);
  const result = await bench.flash({
    port: linkPath,
    protocol,
    image,
    mcu,
    expectVersion: '1.1.0',
  });
  expect(result).toMatchObject({
    chip: 'EG800K',
    boardId: '867698040000001',
    bytesWritten: bytes.length,
    verified: true,
    verifyMethod: 'md5',
    booted: { version: '1.1.0', matched: true, outcome: 'booted' },
  });
  const recording = await readFile(bench.recordingPath, 'utf8');
  const heard = recording
    .split('\n')
    .map((line) => /"dir":"(?:tx|rx)","hex":"([0-9a-f]+)"/.exec(line)?.[1] ?? '')
    .join('');
  const text = Buffer.from(heard, 'hex').toString('latin1');
  // The order of the documentation: version, request, confirmation, blocks, update, new version.
  const steps = [
    'AT+QIOTMCUVER="STM32","1.0.0"\r',
    'AT+QIOTREG=1\r',
    'AT+QIOTOTAREQ=1\r',
    '+QIOTEVT: 7,10700,"STM32","1.0.0","1.1.0",30,-113,22536\r\n',
    'AT+QIOTUPDATE=1\r',
    '+QIOTEVT: 7,10701,"STM32",50001,"',
    '+QIOTEVT: 7,10703,"STM32",50001,0,22536\r\n',
    'AT+QIOTOTARD=0,4096\r',
    'AT+QIOTUPDATE=2\r',
    '+QIOTEVT: 7,10703,"STM32",50001,22536,22536\r\n',
    'AT+QIOTUPDATE=3\r',
    '+QIOTEVT: 7,10704\r\n',
    'AT+QIOTMCUVER="STM32","1.1.0"\r',
    '+QIOTEVT: 7,10705\r\n',
  ];
  const places = steps.map((step) => text.indexOf(step));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

test.each([
  ['of another size', bytes.subarray(1), 'has 50001 bytes; the image has 50000'],
  [
    'with another byte',
    bytes.map((byte, at) => (at === 777 ? byte ^ 1 : byte)),
    'first at byte 777',
  ],
])(
  'a package %s is not called flashed, and the old version stays',
  async (_name, other, detail) => {
    const { path: port } = await bench.boards.start('quectel', { mcuPackage });
    const failure = await bench.failure({ port, protocol, image: rawImage(other), mcu });
    expect(failure).toMatchObject({ code: 'verify-failed', kind: 'gate' });
    expect(failure.detail).toContain(detail);
    expect(await readFile(bench.recordingPath, 'utf8')).not.toContain(
      Buffer.from('"1.1.0"\r').toString('hex'),
    );
  },
);

test('without a component, and with none in the module, it is asked for', async () => {
  const { path: port } = await bench.boards.start('quectel', { mcuPackage });
  const failure = await bench.failure({ port, protocol, image: rawImage(bytes) });
  expect(failure).toMatchObject({ code: 'mcu-unknown', kind: 'usage' });
});

test('that the cloud has no plan for what the MCU runs is told in seconds', async () => {
  const { path: port } = await bench.boards.start('quectel', { mcuPackage });
  const startedMs = performance.now();
  const other = { ...mcu, version: '0.9.0' };
  const failure = await bench.failure({ port, protocol, image: rawImage(bytes), mcu: other });
  expect(failure).toMatchObject({
    code: 'upgrade-failed',
    detail: expect.stringContaining('the cloud has no plan for this component and version'),
  });
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

test('reports of faults in words', () => {
  expect(qiotFaultText(2, 10430)).toBe('the device secret is wrong (2,10430)');
  expect(qiotFaultText(1, 10422)).toBe('the cloud did not let the device in (1,10422)');
  expect(qiotFaultText(1, 10200)).toBeNull();
  expect(qiotFaultText(7, 10703)).toBeNull();
});
