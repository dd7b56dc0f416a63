import { randomBytes, randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Protocol, VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';
import { espImage } from '../support/esp-images.ts';
import { mcubootImage } from '../support/mcuboot-builder.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const packageVersion = 'EG800KEULCR07A07M05_01.300.01.300';
const subjects: readonly (readonly [
  Protocol,
  VirtualBoardKind,
  string,
  number,
  () => Promise<Uint8Array>,
])[] = [
  ['stm32', 'stm32', '1.1.0', 20, () => sampleImage('sensor-1.1.0.bin')],
  ['esp', 'esp32', '3.0.0', 6, async () => espImage({ version: '3.0.0', code: randomBytes(9000) })],
  ['smp', 'smp', '1.4.0', 6, async () => mcubootImage('1.4.0', randomBytes(30_000))],
  ['ymodem', 'ymodem', '1.1.0', 10, () => sampleImage('sensor-1.1.0.bin')],
  [
    'quectel',
    'quectel',
    packageVersion,
    5,
    async () => Buffer.concat([randomBytes(30_000), Buffer.from(packageVersion), Buffer.alloc(4)]),
  ],
];

test.each(subjects)(
  '%s: pulled out at random points it is always a lost port, and flashing goes on to a verified board',
  async (protocol, kind, expectVersion, times, make) => {
    const { path: port } = await bench.boards.start(kind);
    let order = { port, protocol, image: rawImage(await make()) };
    let reports = 0;
    let isWriting = true;
    await bench.flash({ ...order, expectVersion }, ({ step }) => {
      isWriting &&= !step.startsWith('Waiting');
      if (isWriting) reports++;
    });
    expect(reports).toBeGreaterThan(2);
    for (let time = 0; time < times; time++) {
      // A board that holds a part of this very image would have less to do.
      order = { ...order, image: rawImage(await make()) };
      // Anywhere from the connection to the last block.
      let left = randomInt(1, reports);
      const failure = await bench.failure(order, ({ step }) => {
        if (step.startsWith('Waiting')) throw new Error('it came to its end');
        if (--left === 0) bench.boards.setPlugged(port, false);
      });
      expect(failure, `attempt ${time}`).toMatchObject({ code: 'port-lost', kind: 'io' });
      bench.boards.setPlugged(port, true);
    }
    const result = await bench.flash({ ...order, changedOnly: true, expectVersion });
    expect(result).toMatchObject({ verified: true, booted: { matched: true } });
    await bench.boards.stop(port);
  },
  60_000,
);
