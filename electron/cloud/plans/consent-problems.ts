import type { PlanState } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';

/** The refusal of an act on a device that a plan does not upgrade. */
export function notInPlan(planId: string, deviceId: string): Error {
  return problem(
    'device-not-in-plan',
    'The device is not in the plan',
    `Plan ${planId} does not upgrade ${deviceId}.`,
    'Check the device id; plan status names the devices that were left out.',
    'usage',
  );
}

/** The refusal of an answer to a plan that asks nobody. */
export function silentPlan(planId: string): Error {
  return problem(
    'plan-silent',
    'The plan does not ask users',
    `Plan ${planId} is silent: its devices upgrade without a confirmation.`,
    'Only manual plans are confirmed, appointed or cancelled.',
    'usage',
  );
}

/** The refusal of an act that a plan does not take in its state. */
export function planOver(planId: string, state: PlanState): Error {
  return problem(
    'plan-state',
    'The plan does not take this now',
    `Plan ${planId} is ${state}.`,
    'Users answer while a plan is open; failed devices of a silent plan are retried while it is upgrading.',
    'usage',
  );
}

/** The refusal of an act that a device cannot take in its state. */
export function deviceState(deviceId: string, state: string, act: string): Error {
  return problem(
    'device-state',
    `The device cannot ${act} now`,
    `${deviceId} is ${state}.`,
    'A device is confirmed, appointed or cancelled before it begins, and retried after it failed.',
    'usage',
  );
}

/** The refusal of a window that does not fit its plan. */
export function badWindow(deviceId: string, fault: string): Error {
  return problem(
    'appointment-window',
    'The window cannot be appointed',
    `${deviceId}: ${fault}`,
    'Choose a window of an hour or more inside the planned time.',
    'usage',
  );
}

/** The refusal to retry a device that runs something else by now. */
export function sourceChanged(deviceId: string, source: string | null, runs: string | null): Error {
  return problem(
    'source-changed',
    'The device no longer runs the source version',
    `${deviceId} runs ${runs ?? 'an unknown version'}; it failed from ${source ?? 'an unknown version'}.`,
    'Publish a new plan for what it runs now.',
    'usage',
  );
}
