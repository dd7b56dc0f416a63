import { maxDevicesPerPlan } from '../../../shared/domain/limits.ts';
import type { PlanDraft, PlanState, ScopeSummary } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';

/** What an operator does to a published plan. */
export type PlanControl = 'suspend' | 'resume' | 'terminate';

/** A plan reaches at least one device and at most 10,000. @throws ProblemError `no-devices`, `too-many-devices` */
export function checkSize(scope: ScopeSummary): void {
  const chosen = scope.full + scope.delta;
  if (chosen === 0) {
    const why = scope.skipped.map(({ reason, count }) => `${count} ${reason}`).join(', ');
    throw problem(
      'no-devices',
      'The plan reaches no device',
      why ? `Every device is skipped: ${why}.` : 'The product has no device.',
      'Check the batches, the lists and the source versions of the plan.',
      'gate',
    );
  }
  if (chosen > maxDevicesPerPlan) {
    const plans = Math.ceil(chosen / maxDevicesPerPlan);
    throw problem(
      'too-many-devices',
      'The plan reaches too many devices',
      `${chosen} devices would be upgraded; a plan takes at most ${maxDevicesPerPlan}.`,
      `Split it by batches or whitelists into ${plans} plans or more.`,
      'gate',
    );
  }
}

/** A package that differs from what the plan says about it. */
export function packageMismatch(packageId: string, componentId: string): Error {
  return problem(
    'package-mismatch',
    'A version package does not fit its place in the plan',
    `Package ${packageId} differs in product, component, type or versions from what the plan says for ${componentId}.`,
    'Choose a package that was made for this component and target version.',
    'usage',
  );
}

/** A package that was announced without its file. */
export function artifactMissing(packageId: string): Error {
  return problem(
    'package-missing',
    'The artifact of a version package is not there',
    `Package ${packageId} is announced, but its file was not uploaded or is gone.`,
    'Upload the artifact, then publish again.',
    'usage',
  );
}

/** A plan that would end before it is published. */
export function planOver({ plannedTime, timeZone }: PlanDraft): Error {
  return problem(
    'plan-over',
    'The planned time has passed',
    `It ended ${plannedTime?.end.replace('T', ' ')} ${timeZone}.`,
    'Plan a later end.',
    'usage',
  );
}

/** A control that the state of the plan does not allow. */
export function wrongState(
  planId: string,
  control: PlanControl | 'open the next stage',
  state: PlanState,
): Error {
  return problem(
    'plan-state',
    `The plan cannot ${control} now`,
    `Plan ${planId} is ${state}.`,
    state === 'suspended'
      ? 'Resume the plan first.'
      : 'Terminated and ended plans stay so; publish a new plan.',
    'usage',
  );
}

/** A plan that a stop rule suspended goes on only when a person accepts what happened. */
export function stopNotAccepted(planId: string): Error {
  return problem(
    'stop-not-accepted',
    'The plan was stopped by a rule',
    `Plan ${planId} goes on only when somebody accepts the failures that stopped it.`,
    'Look at the devices that failed; then resume with your name and the reason, or terminate the plan.',
    'gate',
  );
}

/** An acceptance without a stop. */
export function nothingToAccept(planId: string): Error {
  return problem(
    'nothing-to-accept',
    'There is nothing to accept',
    `Plan ${planId} was not stopped by a rule.`,
    'Resume it without an acceptance.',
    'usage',
  );
}

/** A stage that is not the next one to open. */
export function lastStage(planId: string, openCount: number, count: number): Error {
  return problem(
    'last-stage',
    'This stage cannot be opened',
    count === 0
      ? `Plan ${planId} has no stages.`
      : `${openCount} of the ${count} stages of plan ${planId} are open.`,
    'Stages are opened one after the other.',
    'usage',
  );
}

/** A plan that was never published. */
export function planMissing(planId: string): Error {
  return problem(
    'plan-missing',
    'The plan is not known',
    `The cloud has no plan ${planId}.`,
    'Publish the plan first.',
    'usage',
  );
}

/** A plan id that is taken by other content. */
export function planExists(planId: string): Error {
  return problem(
    'plan-exists',
    'Another plan has this id',
    `Plan ${planId} is published with other content.`,
    'A published plan cannot be edited; publish the new content as a new plan.',
    'usage',
  );
}
