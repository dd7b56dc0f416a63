import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ImageStore } from '../../electron/boards/fleet/image-store.ts';
import { PackageDownload } from '../../electron/boards/fleet/package-download.ts';
import { type FleetTools, SimulatedDevice } from '../../electron/boards/fleet/simulated-device.ts';
import { updateResult } from '../../shared/protocols/firmware-update.ts';
import { everyChoice, firmwareLike, makePatch } from '../support/patches.ts';

const source = firmwareLike(20_000, 1);
const target = firmwareLike(21_000, 2);
/** Of the flash that an update in place needs. */
const limits = { memoryBytes: 64 * 1024, segmentBytes: 1024 };
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
let folder: string;
let sourcePath: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-fleet-deltas-'));
  sourcePath = join(folder, 'source.bin');
  await writeFile(sourcePath, source);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A device that runs the source, and what its fleet holds. */
async function device(
  holdsSource = true,
): Promise<{ device: SimulatedDevice; images: ImageStore }> {
  const image = { componentId: 'APP', version: '1.0.0', path: sourcePath };
  const images = await ImageStore.load(holdsSource ? [image] : []);
  const config = { id: 'D', transport: 'lwm2m', versions: { APP: '1.0.0' }, secret: 's' } as const;
  return { device: new SimulatedDevice(config, { images } as FleetTools), images };
}

test.each(everyChoice)(
  'a device that is sent a delta without being told so applies it: $format $compression',
  async (choice) => {
    const { device: updated, images } = await device();
    const patch = makePatch(source, target, choice, limits);
    expect(await PackageDownload.received(patch, updated).install()).toBe(updateResult.success);
    expect(images.has(hash(target))).toBe(true);
    // Its result is the source of the next one.
    const back = makePatch(target, source, choice, limits);
    expect(await PackageDownload.received(back, updated).install()).toBe(updateResult.success);
    expect(updated.lastOutcome).toMatchObject({ ok: true });
  },
);

test.each(everyChoice.filter(({ format }) => !format.startsWith('detools')))(
  'a delta that is damaged fails, and leaves what the device runs: $format $compression',
  async (choice) => {
    const { device: updated, images } = await device();
    const patch = makePatch(source, target, choice, limits);
    const broken = patch.slice(0, patch.length - 40);
    expect(await PackageDownload.received(broken, updated).install()).not.toBe(
      updateResult.success,
    );
    expect(updated.lastOutcome).toMatchObject({ ok: false, code: 'patch-corrupt' });
    expect(images.has(hash(target))).toBe(false);
  },
);

test('an image that begins as a delta of detools does is taken as the image it is', async () => {
  const { device: updated } = await device();
  // The vector table of a Cortex-M: the stack pointer 0x20001000, then the reset handler.
  const image = Uint8Array.from([0x00, 0x10, 0x00, 0x20, 0x41, 0x01, 0x00, 0x08, ...target]);
  expect(await PackageDownload.received(image, updated).install()).toBe(updateResult.success);
});

test('without the source at hand a delta is taken unseen, as its bytes are', async () => {
  const { device: updated } = await device(false);
  expect(updated.holdsImage).toBe(false);
  const broken = Uint8Array.from([...Buffer.from('BSDIFF40'), 1, 2, 3]);
  expect(await PackageDownload.received(broken, updated).install()).toBe(updateResult.success);
});
