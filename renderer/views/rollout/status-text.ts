import type { HoldReason } from '../../../shared/domain/plan-strategy.ts';
import type {
  ActOutcome,
  DeviceAct,
  DeviceState,
  PlanState,
  PlanStatus,
  RolloutDevice,
  SkipReason,
} from '../../../shared/domain/plan.ts';
import { pluralText } from '../../widgets/format-text.ts';

/** The device states in the order in which bars and charts stack them, done first. */
export const stackedStates = [
  'upgraded',
  'noUpdateRequired',
  'upgrading',
  'failed',
  'notUpgraded',
] as const satisfies readonly DeviceState[];

/** What people read for a device state. */
export const deviceStateTitles: Readonly<Record<DeviceState, string>> = {
  notUpgraded: 'Not upgraded',
  upgrading: 'Upgrading',
  upgraded: 'Upgraded',
  failed: 'Failed',
  noUpdateRequired: 'No update required',
};

/** What people read for a plan state. */
export const planStateTitles: Readonly<Record<PlanState, string>> = {
  saved: 'Saved',
  activated: 'Activated',
  upgrading: 'Upgrading',
  suspended: 'Suspended',
  terminated: 'Terminated',
  ended: 'Ended',
};

/** Why a plan leaves devices out, in a few words. */
export const skipReasonTitles: Readonly<Record<SkipReason, string>> = {
  blacklisted: 'On the blacklist',
  notWhitelisted: 'Not on the whitelist',
  otherBatch: 'In another batch',
  chinaTelecom: 'On a China Telecom SIM, which cannot be upgraded over the air',
  noUpdateRequired: 'Runs the target version already',
  neverReported: 'Never reported a version, so not known to be upgradable',
  onlyDeclared: 'Version declared when it was added, never reported by the device itself',
  cannotApply: 'Cannot apply the format of its delta',
  noMatchingSource: 'No package fits the version it runs',
  stepSkipped: 'Would skip a version that it needs first',
};

/** Why a waiting device gets no job yet, as the end of "12 …". */
export const holdReasonTitles: Readonly<Record<HoldReason, string>> = {
  suspended: 'by the suspension',
  ended: 'not upgraded before the plan ended',
  notStarted: 'until the plan starts',
  outsidePushPeriod: 'until the push period',
  lowBattery: 'for a low battery',
  weakSignal: 'for a weak signal',
  confirmation: 'until their users confirm',
  appointment: 'until their appointed window',
};

const actTitles: Readonly<Record<DeviceAct['kind'], string>> = {
  confirm: 'confirmed',
  appoint: 'appointed',
  cancel: 'cancelled',
  retry: 'tried again',
};

/** What became of an act on devices, with the first refusal. */
export function actText(kind: DeviceAct['kind'], { done, failed }: ActOutcome): string {
  const [first] = failed;
  const text = `${pluralText(done, 'device')} ${actTitles[kind]}`;
  return first === undefined
    ? `${text}.`
    : `${text}; ${failed.length} refused, the first: ${first.problem.title}. ${first.problem.detail}`;
}

/** What people read for a component state. */
export const componentStateTitles: Readonly<
  Record<RolloutDevice['components'][number]['state'], string>
> = {
  planNotReceived: 'Plan not received',
  planReceived: 'Plan received',
  upgradeConfirmed: 'Upgrade confirmed',
  readyToDownload: 'Ready to download',
  downloading: 'Downloading',
  downloadFailed: 'Download failed',
  downloadSucceeded: 'Download succeeded',
  upgrading: 'Upgrading',
  upgradeFailed: 'Upgrade failed',
  upgradeSucceeded: 'Upgrade succeeded',
  noUpdateRequired: 'No update required',
};

/** Plans in these states still change by themselves or by a person. */
export function isActive(state: PlanState): boolean {
  return state === 'activated' || state === 'upgrading' || state === 'suspended';
}

/** One state's part of all devices of a plan. */
export interface StatePart {
  readonly state: DeviceState;
  readonly title: string;
  readonly count: number;
  /** 0..100 of all devices. */
  readonly percent: number;
}

/** The parts of the stacked bar; the states that a plan can always have are there even at 0. */
export function statePartsOf(counts: PlanStatus['counts']): readonly StatePart[] {
  const total = stackedStates.reduce((sum, state) => sum + counts[state], 0);
  return stackedStates
    .filter((state) => state !== 'noUpdateRequired' || counts[state] > 0)
    .map((state) => ({
      state,
      title: deviceStateTitles[state],
      count: counts[state],
      percent: total === 0 ? 0 : (100 * counts[state]) / total,
    }));
}

/** `98.7 % of 300 finished`, or that none has finished; never rounded up to 100 % while one failed. */
export function successRateText({ successRate, counts }: PlanStatus): string {
  if (successRate === null) return 'No device has finished yet';
  const finished = counts.upgraded + counts.failed;
  const percent = Math.floor(successRate * 1000) / 10;
  return `${percent} % of ${finished.toLocaleString('en')} finished`;
}

/** What a device's components do now, for example `Downloading 40 %`; several are named. */
export function componentsText(components: RolloutDevice['components']): string {
  return components
    .map(({ componentId, state, progress }) => {
      const share = state === 'downloading' ? ` ${Math.floor(100 * progress)} %` : '';
      const name = components.length > 1 ? `${componentId}: ` : '';
      return `${name}${componentStateTitles[state]}${share}`;
    })
    .join('; ');
}

/** {@link componentsText} with what went wrong or holds the device, where something does. */
export function stepText({
  components,
  error,
  held,
}: Pick<RolloutDevice, 'components' | 'error' | 'held'>): string {
  const text = componentsText(components);
  if (error !== null) return `${text}: ${error}`;
  return held ? `Held: ${held.detail}. ${text}` : text;
}

/** From which version to which, and by which kind of package, for example `1.0.0 → 1.1.0, delta`. */
export function versionsText(components: RolloutDevice['components']): string {
  return components
    .map(
      ({ fromVersion, toVersion, packageType }) =>
        `${fromVersion ?? 'unknown'} → ${toVersion}, ${packageType}`,
    )
    .join('; ');
}
