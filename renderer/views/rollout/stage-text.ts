import type { DeviceLogEntry, PlanStop, StageStatus } from '../../../shared/domain/plan-stages.ts';
import type { StageRule } from '../../../shared/domain/stages.ts';
import { countText, percentText, pluralText } from '../../widgets/format-text.ts';
import { componentStateTitles, deviceStateTitles } from './status-text.ts';

/** What people read for the state of a stage. */
export const stageStateTitles: Readonly<Record<StageStatus['state'], string>> = {
  closed: 'Not open',
  open: 'Open',
  soaking: 'Soaking',
  held: 'Waits for you',
  passed: 'Passed',
};

/** The parts of a stage's bar, done first; accepted failures are among the failed ones. */
export function stageParts({ upgraded, upgrading, failed, accepted, notUpgraded }: StageStatus) {
  return [
    { state: 'upgraded', count: upgraded },
    { state: 'upgrading', count: upgrading },
    { state: 'failed', count: failed + accepted },
    { state: 'notUpgraded', count: notUpgraded },
  ].filter(({ count }) => count > 0);
}

/** How many of a stage are upgraded, and what became of the others that matter. */
export function finishedText(stage: StageStatus): string {
  const { upgraded, devices, failed, silent, accepted } = stage;
  return [
    `${countText(upgraded)} of ${countText(devices)} upgraded`,
    ...(failed > 0 ? [`${countText(failed)} failed`] : []),
    ...(silent > 0 ? [`${countText(silent)} silent`] : []),
    ...(accepted > 0 ? [`${countText(accepted)} accepted`] : []),
  ].join(', ');
}

/** What the gate of a stage asks for, and how far that is. */
export function gateText(rule: StageRule | undefined, stage: StageStatus): string {
  if (!rule) return '';
  const judged = stage.upgraded + stage.failed + stage.silent;
  const share = (part: number, whole: number): string =>
    whole === 0 ? '–' : percentText(Math.floor((1000 * part) / whole) / 1000);
  return [
    `${share(stage.upgraded, judged)} of the finished upgraded (gate ${rule.successPercent} %)`,
    `${share(judged + stage.accepted, stage.devices)} finished (gate ${rule.finishedPercent} %).`,
  ].join(', ');
}

/** Which rule stopped a plan and by which numbers. */
export function stopText({ rule, limit, stage, failed, silent, finished }: PlanStop): string {
  const failures = failed + silent;
  const where = stage === null ? 'in the whole plan' : `in stage ${stage}`;
  const numbers = `${pluralText(failures, 'failure')} (${countText(failed)} failed, ${countText(silent)} silent) among ${pluralText(finished, 'finished device')} ${where}`;
  return rule === 'failurePercent'
    ? `${numbers}: ${percentText(failures / finished)}, and the plan stops at ${limit} %.`
    : `${numbers}, and the plan stops at ${pluralText(limit, 'failure')}.`;
}

const eventTitles: Readonly<Record<string, string>> = {
  ...deviceStateTitles,
  ...componentStateTitles,
  jobGiven: 'Job given',
  silent: 'Silent: not heard from in time',
  heardAgain: 'Heard from again',
  accepted: 'Accepted by a person',
  confirmedBy: 'Confirmed for its user by',
  appointedBy: 'Window appointed for its user by',
  cancelledBy: 'Refused for its user by',
  retriedBy: 'Tried again by',
};

/** One line of a device's log without its time. */
export function logText({ event, componentId, code, detail }: DeviceLogEntry): string {
  const subject = componentId === null ? '' : `${componentId}: `;
  if (event.endsWith('By')) return `${eventTitles[event] ?? event} ${detail ?? 'an operator'}`;
  const more = [code, detail].filter((part) => part !== null);
  return `${subject}${eventTitles[event] ?? event}${more.length > 0 ? `: ${more.join(', ')}` : ''}`;
}
