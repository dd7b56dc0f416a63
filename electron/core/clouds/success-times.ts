import type { LocalCloud } from './local-cloud.ts';

const devicesPerPage = 500;

/** When each upgraded device of a plan succeeded, in milliseconds since 1970, earliest first. */
export async function successTimes(cloud: LocalCloud, planId: string): Promise<number[]> {
  const timesMs: number[] = [];
  for (let offset = 0; ; offset += devicesPerPage) {
    const page = await cloud.rolloutDevices(planId, {
      offset,
      limit: devicesPerPage,
      state: 'upgraded',
    });
    timesMs.push(...page.items.map((device) => Date.parse(device.updatedAt)));
    if (page.items.length < devicesPerPage) return timesMs.sort((a, b) => a - b);
  }
}

/** The time by which a share (0..1) of sorted times had come; null without any. */
export function timeAt(timesMs: readonly number[], share: number): number | null {
  return timesMs[Math.min(timesMs.length - 1, Math.floor(share * timesMs.length))] ?? null;
}
