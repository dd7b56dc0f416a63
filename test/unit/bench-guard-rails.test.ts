import { afterAll, beforeAll, expect, test } from 'vitest';
import { VirtualStm32 } from '../../electron/boards/stm32/virtual-stm32.ts';
import {
  checkImagePlace,
  checkPackageHardware,
  keepOutOf,
} from '../../electron/core/bench/guard-rails.ts';
import { layOut } from '../../electron/core/bench/sector-layout.ts';
import { stm32Geometry } from '../../electron/core/bench/stm32/stm32-flasher.ts';
import type { FirmwareImage } from '../../shared/formats/firmware-image.ts';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';
import { findingOf } from '../support/findings.ts';
import { fullPackage } from '../support/records.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const imageAt = (address: number, sizeBytes: number): FirmwareImage => ({
  format: 'intel-hex',
  segments: [{ address, bytes: new Uint8Array(sizeBytes).fill(1) }],
});
const problemOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as { problem?: unknown }).problem;
  }
  return null;
};

test.each([
  ['STM32F1 option bytes', 0x1fff_f800],
  ['STM32F4 option bytes', 0x1fff_c000],
  ['STM32L0 option bytes', 0x1ff8_0000],
])('%s are never written', (_name, address) => {
  expect(problemOf(() => checkImagePlace(imageAt(address, 16), 'stm32', []))).toMatchObject({
    code: 'protected-memory',
    kind: 'gate',
  });
});

const bootloader = keepOutOf({
  id: 'STM32',
  name: 'Sensor',
  type: 'mcu',
  memory: [
    { name: 'boot', start: 0x0800_0000, sizeBytes: 0x1200, role: 'bootloader' },
    { name: 'app', start: 0x0800_1400, sizeBytes: 0x4000, role: 'app' },
  ],
});

test('an image in the boot loader of the memory map is refused', () => {
  expect(
    problemOf(() => checkImagePlace(imageAt(0x0800_1000, 0x400), 'stm32', bootloader)),
  ).toMatchObject({ detail: expect.stringContaining('boot (boot loader)') });
  expect(
    problemOf(() => checkImagePlace(imageAt(0x0800_1400, 0x400), 'stm32', bootloader)),
  ).toBeNull();
});

test('so is one beside it whose page reaches into it, since a page is erased as a whole', () => {
  const chip = { pageBytes: 1024, flashBytes: 128 * 1024 };
  const geometry = { ...stm32Geometry(chip), keepOut: bootloader };
  expect(problemOf(() => layOut(imageAt(0x0800_1200, 0x100), geometry))).toMatchObject({
    code: 'protected-memory',
    detail: expect.stringContaining('0x8001000'),
  });
  expect(layOut(imageAt(0x0800_1400, 0x100), geometry).sectors).toHaveLength(1);
});

test('the flasher refuses before anything is erased', async () => {
  const { path } = await bench.boards.start('stm32');
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  await bench.flash({ port: path, protocol: 'stm32', image });
  const failure = await bench.failure(
    { port: path, protocol: 'stm32', image, keepOut: bootloader },
    ({ step }) => expect(step).not.toMatch(/Erasing|Writing/),
  );
  expect(failure).toMatchObject({ code: 'protected-memory' });
});

test('a package that was found to be for other hardware is not flashed, unless that was waived', () => {
  const [file] = fullPackage().report.files;
  const packageWith = (rule: 'identity.hardware-differs' | 'secret.wifi') =>
    fullPackage({
      report: { verdict: 'block', files: [{ ...file!, findings: [findingOf(rule)] }] },
    });
  expect(
    problemOf(() => checkPackageHardware(packageWith('identity.hardware-differs'))),
  ).toMatchObject({ code: 'wrong-hardware', kind: 'gate' });
  expect(problemOf(() => checkPackageHardware(packageWith('secret.wifi')))).toBeNull();
});

test('read-out protection is taken off only with the name of the very board', async () => {
  const { path } = await bench.boards.start('stm32', { fault: 'read-protected' });
  const { usbId } = bench.boards.list().find((info) => info.path === path) ?? {};
  const listPorts = async () => ({ ports: bench.boards.list(), hint: null });
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  const order = { port: path, protocol: 'stm32', image, listPorts } as const;
  expect(await bench.failure(order)).toMatchObject({
    code: 'consent-missing',
    hint: expect.stringContaining(`--unprotect-erases-all ${usbId}`),
  });
  expect(await bench.failure({ ...order, unprotect: path })).toMatchObject({
    code: 'consent-differs',
  });
  const nicknameOf = () => 'left pump';
  const named = { ...order, nicknameOf, unprotect: 'left pump', expectVersion: '1.1.0' };
  expect(await bench.flash(named)).toMatchObject({ verified: true, booted: { matched: true } });
  // It is open now: the chip tells its id again.
  expect((await bench.flash(order)).boardId).toMatch(/^[0-9a-f]{24}$/);
});

test('a protected chip answers what its bootloader must, and nothing else', () => {
  const board = new VirtualStm32({ isPaced: false, fault: 'read-protected' });
  const answers: number[] = [];
  board.onData((bytes) => answers.push(...bytes));
  board.receive(Uint8Array.of(0x7f, 0x02, 0xfd, 0x11, 0xee, 0x31, 0xce, 0x43, 0xbc));
  return expect.poll(() => answers).toEqual([0x79, 0x79, 1, 0x04, 0x10, 0x79, 0x1f, 0x1f, 0x1f]);
});
