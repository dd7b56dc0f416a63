import type { PlanDraft, ScopeDecision } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { CloudDatabase } from '../store/database.ts';

/**
 * A verification upgrades exactly one device, which fits the plan and takes part in no other one.
 * Call inside the write unit that publishes it.
 * @throws ProblemError `device-missing`, `verification-refused`, `device-in-plan`
 */
export function checkVerification(
  db: CloudDatabase,
  plan: PlanDraft,
  decisions: readonly ScopeDecision[],
): void {
  const [deviceId = ''] = plan.whitelist;
  const decision = decisions.find((one) => one.deviceId === deviceId);
  if (!decision)
    throw problem(
      'device-missing',
      'The device is not known',
      `Product ${plan.productId} has no device ${deviceId}.`,
      'Choose a device of the product.',
      'usage',
    );
  if (decision.action === 'skip')
    throw problem(
      'verification-refused',
      'The device cannot try this version package',
      `${deviceId}: ${decision.detail}`,
      'Choose a device that runs a version which the package upgrades.',
      'usage',
    );
  const other = db
    .prepare(
      `SELECT plans.id, plans.body FROM rollout JOIN plans ON plans.id = plan_id
       WHERE device_id = ? AND (rollout.state = 'upgrading'
         OR rollout.state = 'notUpgraded' AND plans.state IN ('activated', 'upgrading', 'suspended'))`,
    )
    .get(deviceId) as { id: string; body: string } | undefined;
  if (!other) return;
  const { name } = JSON.parse(other.body) as PlanDraft;
  throw problem(
    'device-in-plan',
    'The device is in a plan that is under way',
    `${deviceId} is to be upgraded by “${name}” (${other.id}).`,
    'Wait for its end, terminate that plan, or choose another device.',
    'usage',
  );
}
