import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, test } from 'vitest';
import type { Protocol, VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { type FirmwareImage, readFirmwareImage } from '../../shared/formats/firmware-image.ts';
import { avrApp } from '../support/avr-app.ts';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';
import { espImage } from '../support/esp-images.ts';
import { mcubootImage } from '../support/mcuboot-builder.ts';
import { seededRandom } from '../support/seeded-random.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const points = 20;
/** Every so many points the board is flashed to its end. */
const resumeEvery = 10;
const seed = Number(process.env.UNPLUG_SEED ?? 20_261_124);

const packageVersion = 'EG800KEULCR07A07M05_01.300.01.300';
const quectelPackage = () =>
  rawImage(Buffer.concat([randomBytes(12_000), Buffer.from(packageVersion), Buffer.alloc(4)]));
const sample = async () => rawImage(await sampleImage('sensor-1.1.0.bin'));
async function avrImage(): Promise<FirmwareImage> {
  const { bytes } = await avrApp(bench.folder, { version: '1.1.0', fillerBytes: 200 });
  return readFirmwareImage('app.hex', bytes);
}

const mcuPackage = {
  componentId: 'STM32',
  sourceVersion: '1.0.0',
  targetVersion: '1.1.0',
  bytes: new Uint8Array(randomBytes(50_001)),
};

interface Subject {
  readonly protocol: Protocol;
  readonly kind: VirtualBoardKind;
  readonly expectVersion: string;
  /** A new image each time where that is cheap: a board that holds a part of this very one would have less to do. */
  readonly make: () => Promise<FirmwareImage>;
}
const subjects: readonly Subject[] = [
  { protocol: 'stm32', kind: 'stm32', expectVersion: '1.1.0', make: sample },
  {
    protocol: 'esp',
    kind: 'esp32',
    expectVersion: '3.0.0',
    make: async () => rawImage(espImage({ version: '3.0.0', code: randomBytes(9000) })),
  },
  {
    protocol: 'smp',
    kind: 'smp',
    expectVersion: '1.4.0',
    make: async () => rawImage(await mcubootImage('1.4.0', randomBytes(12_000))),
  },
  { protocol: 'stk500', kind: 'optiboot', expectVersion: '1.1.0', make: avrImage },
  { protocol: 'ymodem', kind: 'ymodem', expectVersion: '1.1.0', make: sample },
  {
    protocol: 'quectel',
    kind: 'quectel',
    expectVersion: packageVersion,
    make: async () => quectelPackage(),
  },
  {
    protocol: 'qiot',
    kind: 'quectel',
    expectVersion: mcuPackage.targetVersion,
    make: async () => rawImage(mcuPackage.bytes),
  },
];

test.for(subjects)(
  '$protocol: pulled out at random points it is always a lost port, and flashing goes on to a verified board',
  { timeout: 120_000 },
  async ({ protocol, kind, expectVersion, make }, { expect }) => {
    const random = seededRandom(seed);
    const { path: port } = await bench.boards.start(kind, { mcuPackage });
    const recordingPath = `${bench.recordingPath}-${protocol}`;
    // What the module is told that the MCU runs.
    const mcu = { componentId: mcuPackage.componentId, version: mcuPackage.sourceVersion };
    let order = { port, protocol, mcu, recordingPath, image: await make() };
    let reports = 0;
    let isWriting = true;
    await bench.flash({ ...order, expectVersion }, ({ step }) => {
      isWriting &&= !step.startsWith('Waiting');
      if (isWriting) reports++;
    });
    expect(reports).toBeGreaterThan(2);
    for (let point = 1; point <= points; point++) {
      order = { ...order, image: protocol === 'stk500' ? order.image : await make() };
      // Anywhere from the connection to the last block.
      const at = 1 + Math.floor(random() * (reports - 1));
      let left = at;
      const failure = await bench.failure(order, ({ step }) => {
        if (step.startsWith('Waiting')) throw new Error('it came to its end');
        if (--left === 0) bench.boards.setPlugged(port, false);
      });
      const where = `seed ${seed}, point ${point} at report ${at} of ${reports}`;
      expect(failure, where).toMatchObject({ code: 'port-lost', kind: 'io' });
      bench.boards.setPlugged(port, true);
      if (point % resumeEvery > 0) continue;
      const result = await bench.flash({ ...order, changedOnly: true, expectVersion });
      expect(result, where).toMatchObject({ verified: true, booted: { matched: true } });
    }
    await bench.boards.stop(port);
  },
);
