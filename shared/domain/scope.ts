import type { Product } from './product.ts';
import { skippedStep } from './upgrade-path.ts';
import type { UpgradePath } from './upgrade-path-schema.ts';
import type { Device, PlanDraft, ScopeDecision, ScopeSummary, SkipReason } from './plan.ts';

/** Why a device of the product is not upgraded by a plan, in the order in which they are listed. */
export const skipReasons = [
  'blacklisted',
  'notWhitelisted',
  'otherBatch',
  'chinaTelecom',
  'noUpdateRequired',
  'neverReported',
  'onlyDeclared',
  'noMatchingSource',
  'cannotApply',
  'stepSkipped',
] as const;

/** What the workspace decides about fleets, beside the plan itself. */
export interface ScopePolicy {
  /** ICCID prefixes that mean a China Telecom SIM. */
  readonly chinaTelecomIccidPrefixes: readonly string[];
  /** Component id to the versions that its upgrades may start from and must not skip. */
  readonly upgradePaths?: Readonly<Record<string, UpgradePath>> | undefined;
}

/** The policy about skipped versions of a product's components; none when none is described. */
export function upgradePaths({ components }: Product): Pick<ScopePolicy, 'upgradePaths'> {
  const described = components.filter(
    ({ minSourceVersion, requiredSteps }) => minSourceVersion ?? requiredSteps,
  );
  if (described.length === 0) return {};
  return {
    upgradePaths: Object.fromEntries(
      described.map(({ id, versionScheme, minSourceVersion, requiredSteps }) => [
        id,
        { versionScheme, minSourceVersion, requiredSteps },
      ]),
    ),
  };
}

type PlanComponent = PlanDraft['components'][number];

/** A package of a plan that fits the version a device runs. */
export interface PackageChoice {
  readonly packageType: 'full' | 'delta';
  readonly packageId: string;
}

/** Home networks of China Telecom SIMs: MCC and MNC, the first digits of an IMSI. */
const chinaTelecomImsiPrefixes = ['46003', '46005', '46011'] as const;
const namedDevicesPerReason = 1000;

/** Why a device counts as being on a China Telecom SIM (Quectel excludes those from OTA), or null. */
export function isChinaTelecom(device: Device, iccidPrefixes: readonly string[]): string | null {
  const imsi = chinaTelecomImsiPrefixes.find((prefix) => device.imsi?.startsWith(prefix));
  if (imsi) return `Its IMSI begins with ${imsi}, a China Telecom network.`;
  const iccid = iccidPrefixes.find((prefix) => device.iccid?.startsWith(prefix));
  return iccid ? `Its ICCID begins with ${iccid}, a China Telecom card.` : null;
}

/** The version of a component, or null when it is not known. */
export function versionOf(
  versions: Readonly<Record<string, string>>,
  componentId: string,
): string | null {
  return Object.hasOwn(versions, componentId) ? (versions[componentId] ?? null) : null;
}

/**
 * The version that the device itself last reported for a component, or null when it never did:
 * what somebody declared about a device does not show that it can be upgraded.
 */
export function reportedVersion(
  { reports = {} }: Pick<Device, 'reports'>,
  componentId: string,
): string | null {
  return Object.hasOwn(reports, componentId) ? (reports[componentId]?.version ?? null) : null;
}

/**
 * The package for a device that runs `current`: a delta from exactly that version, else the full
 * package, else null. A plan with deltas may say that no device falls back to the full package.
 */
export function choosePackage(
  component: PlanComponent,
  current: string | null,
  { fallbackToFull = true }: Pick<PlanDraft, 'fallbackToFull'> = {},
): PackageChoice | null {
  const delta = deltaFrom(component, current);
  if (delta?.cannotApply === undefined && delta)
    return { packageType: 'delta', packageId: delta.packageId };
  const isDeltaOnly = !fallbackToFull && component.deltas.length > 0;
  if (component.fullPackageId === null || isDeltaOnly) return null;
  return { packageType: 'full', packageId: component.fullPackageId };
}

const deltaFrom = ({ deltas }: PlanComponent, current: string | null) =>
  deltas.find(({ sourceVersion }) => sourceVersion === current);

/**
 * Decides for each device of the product whether the plan upgrades it and why not. The blacklist
 * wins over the whitelist; a device on a China Telecom SIM is never upgraded; one that never
 * reported itself what a component runs has not shown that it can be upgraded; a device is taken only
 * when every component that is due has a package, so that none stops half way.
 */
export function decideScope(
  plan: PlanDraft,
  devices: readonly Device[],
  policy: ScopePolicy,
): ScopeDecision[] {
  const lists = {
    blacklist: new Set(plan.blacklist),
    whitelist: new Set(plan.whitelist),
    batches: new Set(plan.batches),
  };
  return devices
    .filter((device) => device.productId === plan.productId)
    .map((device) => decideDevice(plan, device, lists, policy));
}

function decideDevice(
  plan: PlanDraft,
  device: Device,
  lists: Readonly<Record<'blacklist' | 'whitelist' | 'batches', ReadonlySet<string>>>,
  policy: ScopePolicy,
): ScopeDecision {
  const skip = (reason: SkipReason, detail: string): ScopeDecision => ({
    deviceId: device.id,
    action: 'skip',
    packageId: null,
    packageIds: [],
    reason,
    detail,
  });
  if (lists.blacklist.has(device.id)) return skip('blacklisted', 'It is on the blacklist.');
  if (lists.whitelist.size > 0 && !lists.whitelist.has(device.id))
    return skip('notWhitelisted', 'It is not on the whitelist.');
  if (lists.batches.size > 0 && !(device.batch !== null && lists.batches.has(device.batch)))
    return skip(
      'otherBatch',
      device.batch === null ? 'It has no batch.' : `Its batch is ${device.batch}.`,
    );
  const telecom = isChinaTelecom(device, policy.chinaTelecomIccidPrefixes);
  if (telecom) return skip('chinaTelecom', telecom);

  const due = plan.components.filter(
    ({ componentId, targetVersion }) => reportedVersion(device, componentId) !== targetVersion,
  );
  if (due.length === 0) return skip('noUpdateRequired', 'It runs the target version.');
  const unknown = due.find(({ componentId }) => reportedVersion(device, componentId) === null);
  if (unknown && plan.allowNeverReported !== true)
    return skip(...notShown(device, unknown.componentId));
  const choices: PackageChoice[] = [];
  for (const component of due) {
    const current = reportedVersion(device, component.componentId);
    const step = stepOf(policy, component, current);
    if (step !== null) return skip('stepSkipped', step);
    const choice = choosePackage(component, current, plan);
    if (!choice) return skip(...noPackage(component, current));
    choices.push(choice);
  }
  const [{ componentId, targetVersion }, choice] = [due[0], choices[0]] as [
    PlanComponent,
    PackageChoice,
  ];
  const current = reportedVersion(device, componentId);
  return {
    deviceId: device.id,
    action: choice.packageType,
    packageId: choice.packageId,
    packageIds: choices.map(({ packageId }) => packageId),
    reason: null,
    detail: `${componentId} from ${current ?? 'an unknown version'} to ${targetVersion}.`,
  };
}

/** Why a device has not shown that a component of it can be upgraded. */
function notShown({ versions }: Device, componentId: string): [SkipReason, string] {
  const declared = versionOf(versions, componentId);
  return declared === null
    ? ['neverReported', `It never reported the version of ${componentId}.`]
    : ['onlyDeclared', `${componentId} was declared as ${declared}, and it never reported it.`];
}

/** Why a component has no package for the version that a device runs. */
function noPackage(component: PlanComponent, current: string | null): [SkipReason, string] {
  const { componentId, fullPackageId } = component;
  const noFull =
    fullPackageId === null ? 'has no full package' : 'does not fall back to the full package';
  const delta = deltaFrom(component, current);
  if (delta?.cannotApply !== undefined)
    return [
      'cannotApply',
      `${componentId} cannot apply the delta from ${current}: ${delta.cannotApply}; the plan ${noFull}.`,
    ];
  return [
    'noMatchingSource',
    `${componentId} runs ${current ?? 'an unknown version'}; the plan has no delta from it and ${noFull}.`,
  ];
}

/** Nothing is known to be skipped by a device that never told its version. */
function stepOf(
  { upgradePaths = {} }: ScopePolicy,
  { componentId, targetVersion }: PlanComponent,
  current: string | null,
): string | null {
  const path = Object.hasOwn(upgradePaths, componentId) ? upgradePaths[componentId] : undefined;
  if (path === undefined || current === null) return null;
  return skippedStep(componentId, path, current, targetVersion);
}

/** Ids on the plan's lists that are no device of its product: likely misspelled, so worth a look. */
export function unknownListedIds(plan: PlanDraft, devices: readonly Device[]): string[] {
  const known = new Set(
    devices.filter((device) => device.productId === plan.productId).map((device) => device.id),
  );
  return [...plan.whitelist, ...plan.blacklist].filter((id) => !known.has(id));
}

/** Counts the decisions by action and reason; names all devices on China Telecom SIMs, and the first 1,000 of every other reason. */
export function summarizeScope(decisions: readonly ScopeDecision[]): ScopeSummary {
  const counts = { full: 0, delta: 0 };
  const skipped = new Map<SkipReason, { count: number; devices: string[] }>();
  for (const { action, reason, deviceId } of decisions) {
    if (action !== 'skip') counts[action]++;
    if (reason === null) continue;
    const entry = skipped.get(reason) ?? { count: 0, devices: [] };
    skipped.set(reason, entry);
    entry.count++;
    if (reason === 'chinaTelecom' || entry.devices.length < namedDevicesPerReason)
      entry.devices.push(deviceId);
  }
  return {
    ...counts,
    skipped: skipReasons.flatMap((reason) => {
      const entry = skipped.get(reason);
      return entry ? [{ reason, ...entry }] : [];
    }),
  };
}
