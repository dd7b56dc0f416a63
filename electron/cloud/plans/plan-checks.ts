import { planTimes } from '../../../shared/domain/plan-schedule.ts';
import { planFault } from '../../../shared/domain/plan-strategy.ts';
import type { PlanDraft } from '../../../shared/domain/plan.ts';
import { planInvalid } from '../../../shared/domain/plan-draft.ts';
import type { PackageStore } from '../store/packages.ts';
import { artifactMissing, packageMismatch, planOver } from './plan-problems.ts';

/** Whether a plan can be carried out, and still has time to. @throws ProblemError `plan-invalid`, `plan-over` */
export function checkPlan(draft: PlanDraft, nowMs: number): void {
  const fault = planFault(draft);
  if (fault !== null) throw planInvalid(fault);
  const { endMs } = planTimes(draft);
  if (endMs !== null && endMs <= nowMs) throw planOver(draft);
}

/** Whether the packages are what the plan says. @throws ProblemError `package-missing`, `package-mismatch` */
export async function checkPackages(draft: PlanDraft, packages: PackageStore): Promise<void> {
  for (const component of draft.components) {
    const wanted = component.deltas.map(({ packageId, sourceVersion }) => ({
      packageId,
      sourceVersion: sourceVersion as string | null,
    }));
    if (component.fullPackageId !== null)
      wanted.push({ packageId: component.fullPackageId, sourceVersion: null });
    for (const { packageId, sourceVersion } of wanted) {
      const pkg = packages.require(packageId);
      const fits =
        pkg.productId === draft.productId &&
        pkg.componentId === component.componentId &&
        pkg.targetVersion === component.targetVersion &&
        pkg.packageType === (sourceVersion === null ? 'full' : 'delta') &&
        pkg.sourceVersion === sourceVersion;
      if (!fits) throw packageMismatch(packageId, component.componentId);
      if (!(await packages.isComplete(pkg))) throw artifactMissing(packageId);
    }
  }
}
