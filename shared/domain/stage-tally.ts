import type { RolloutDevice } from './plan.ts';
import type { StageStatus } from './plan-stages.ts';

/** The numbers of a stage, from 1, counted anew from the devices of its plan. */
export function stageTally(
  stage: number,
  devices: readonly RolloutDevice[],
): Pick<
  StageStatus,
  'devices' | 'notUpgraded' | 'upgrading' | 'upgraded' | 'failed' | 'silent' | 'accepted'
> {
  const tally = {
    devices: 0,
    notUpgraded: 0,
    upgrading: 0,
    upgraded: 0,
    failed: 0,
    silent: 0,
    accepted: 0,
  };
  for (const device of devices) {
    const { state } = device;
    if (device.stage !== stage || state === 'noUpdateRequired') continue;
    tally.devices++;
    if (device.accepted) tally.accepted++;
    else if (device.silent) tally.silent++;
    if (state !== 'failed' || !device.accepted) tally[state]++;
  }
  return tally;
}
