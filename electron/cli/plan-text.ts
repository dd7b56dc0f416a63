import { heldText } from './plan-devices.ts';
import type { PlanCheck, PlanDraft, PlanStatus } from '../../shared/domain/plan.ts';
import type { DeviceLogEntry, PlanStop, StageStatus } from '../../shared/domain/plan-stages.ts';
import { stageSizes } from '../../shared/domain/stages.ts';

const namedDevices = 10;

/** Whether a stop rule suspended the plan and nobody has accepted that yet. */
export function isStopped({ state, stops = [] }: PlanStatus): boolean {
  return state === 'suspended' && stops.some(({ resumed }) => resumed === null);
}

/** Gates, scope and the sizes of the stages. */
export function checkText({ gates, scope }: PlanCheck, stages: PlanDraft['stages']): string {
  const sizes = stages ? stageSizes(stages, scope.full + scope.delta) : [];
  return [
    ...gates.map((gate) => `${gate.passed ? 'ok    ' : 'CLOSED'} ${gate.title}: ${gate.why}`),
    `Scope: ${scope.full} full, ${scope.delta} delta`,
    ...sizes.map((size, place) => `  stage ${place + 1}: ${size} devices`),
    ...skippedText(scope.skipped),
  ].join('\n');
}

/** Counts, stages, stops and reasons of a plan. */
export function statusText(status: PlanStatus): string {
  const { counts, timeTo95Ms } = status;
  const rate =
    status.successRate === null ? '' : `, success rate ${(100 * status.successRate).toFixed(1)} %`;
  return [
    `Plan ${status.planId} is ${status.state}${rate}`,
    `  upgraded ${counts.upgraded}, upgrading ${counts.upgrading}, not upgraded ${counts.notUpgraded}, failed ${counts.failed}, no update required ${counts.noUpdateRequired}`,
    ...(typeof timeTo95Ms === 'number'
      ? [`  95 % were upgraded ${(timeTo95Ms / 1000).toFixed(1)} s after publishing`]
      : []),
    ...(status.stages ?? []).map(stageText),
    ...(status.stops ?? []).flatMap(stopText),
    ...failuresText(status),
    ...heldText(status.held),
    ...skippedText(status.skipped),
  ].join('\n');
}

/** One line of a device's log. */
export function logLineText({ at, event, componentId, code, detail }: DeviceLogEntry): string {
  const parts = [componentId, code, detail].filter((part) => part !== null);
  return [at, event.padEnd(18), ...parts].join('  ').trimEnd();
}

function failuresText({ failures, failureReasons }: PlanStatus): string[] {
  if (!failures) return failureReasons.map(({ code, count }) => `  failed: ${code} × ${count}`);
  return failures.map(({ stage, step, code, count }) => {
    const where = stage === null ? '' : ` in stage ${stage}`;
    return `  failed${where}, ${step}: ${code} × ${count}`;
  });
}

function stageText(stage: StageStatus): string {
  const { upgraded, failed, silent, accepted, devices, soakLeftMs, openedBy } = stage;
  const parts = [`${upgraded} of ${devices} upgraded`, `${failed} failed`];
  if (silent > 0) parts.push(`${silent} silent`);
  if (accepted > 0) parts.push(`${accepted} accepted`);
  if (soakLeftMs !== null) parts.push(`${Math.ceil(soakLeftMs / 60_000)} min of the soak left`);
  if (stage.state === 'held') parts.push('the next stage waits for: slipway plan next-stage');
  if (openedBy) parts.push(`opened by ${openedBy.name}: ${openedBy.reason}`);
  return `  stage ${stage.stage}: ${stage.state}, ${parts.join(', ')}`;
}

function stopText({
  at,
  rule,
  limit,
  stage,
  failed,
  silent,
  finished,
  devices,
  resumed,
}: PlanStop) {
  const unit = rule === 'failurePercent' ? ' %' : '';
  const where = stage === null ? '' : ` of stage ${stage}`;
  const named = devices.slice(0, namedDevices).map(({ deviceId, code }) => `${deviceId} (${code})`);
  const more = failed + silent > named.length ? ', …' : '';
  return [
    `  stopped ${at} by ${rule} ${limit}${unit}: ${failed} failed and ${silent} silent of ${finished} finished devices${where}`,
    `    ${named.join(', ')}${more}`,
    resumed
      ? `    resumed ${resumed.at} by ${resumed.name}, who accepted ${resumed.accepted} devices: ${resumed.reason}`
      : '    goes on with: slipway plan resume --accept REASON --name NAME',
  ];
}

function skippedText(skipped: PlanStatus['skipped']): string[] {
  return skipped.map(
    ({ reason, count, devices }) =>
      `  skipped: ${reason} × ${count} (${devices.slice(0, namedDevices).join(', ')}${count > namedDevices ? ', …' : ''})`,
  );
}
