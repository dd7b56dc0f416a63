import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from '../../../shared/domain/plan.ts';
import type { LocalCloud } from './local-cloud.ts';

const devicesPerPage = 1000;
const askPeriodMs = 200;
/** Devices that have not said what they run when none has for so long are not going to. */
const quietMs = 20_000;

/**
 * Waits until the devices have told the cloud what they run, since no plan takes them before; without those that
 * never do, such as a device of several components behind the one firmware object of LwM2M. It also ends when nobody
 * wants to know any longer.
 */
export async function untilReported(
  cloud: LocalCloud,
  devices: readonly Pick<Device, 'id' | 'productId' | 'versions'>[],
  options: {
    readonly signal?: AbortSignal;
    readonly isWanted?: () => boolean;
    readonly onReported?: (reported: number) => void;
  },
): Promise<void> {
  const { signal, isWanted = () => true, onReported } = options;
  const tellers = devices.filter(({ versions }) => Object.keys(versions).length > 0);
  const waiting = new Set(tellers.map(({ id }) => id));
  const [productId = ''] = devices.map((device) => device.productId);
  let quietSinceMs = performance.now();
  while (isWanted()) {
    const before = waiting.size;
    for (let offset = 0; waiting.size > 0; offset += devicesPerPage) {
      signal?.throwIfAborted();
      const page = await cloud.devices({ productId, offset, limit: devicesPerPage });
      for (const { id, reports = {} } of page.items)
        if (Object.keys(reports).length > 0) waiting.delete(id);
      // The rest is looked at when these have reported, which is likely to be at the same time.
      if (page.items.length < devicesPerPage || page.items.some(({ id }) => waiting.has(id))) break;
    }
    onReported?.(devices.length - waiting.size);
    if (waiting.size < before) quietSinceMs = performance.now();
    if (waiting.size === 0 || performance.now() - quietSinceMs > quietMs) return;
    await sleep(askPeriodMs, undefined, signal ? { signal } : {});
  }
}
