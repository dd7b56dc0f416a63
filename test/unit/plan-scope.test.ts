import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Device, type PlanDraft, planDraftSchema } from '../../shared/domain/plan.ts';
import {
  choosePackage,
  decideScope,
  isChinaTelecom,
  summarizeScope,
  upgradePaths,
} from '../../shared/domain/scope.ts';
import { componentId, makeDevice, makePlan, productId } from '../support/cloud.ts';
import { sensorProduct } from '../support/records.ts';

const policy = { chinaTelecomIccidPrefixes: ['898603', '898611'] };
const version = fc.constantFrom('1.0.0', '1.0.5', '1.1.0');
const ids = Array.from({ length: 12 }, (_, index) => `dev-${index}`);
const someIds = fc.subarray(ids);

const device = (id: string): fc.Arbitrary<Device> =>
  fc
    .record({
      productId: fc.constantFrom(productId, productId, productId, 'OTHER'),
      imsi: fc.constantFrom(null, '460031234567890', '460051', '46011', '460001234567890', '46003'),
      iccid: fc.constantFrom(null, '89860312345678901234', '898611', '89860012345678901234'),
      batch: fc.constantFrom(null, 'a', 'b'),
      versions: fc.oneof(
        fc.constant({}),
        fc.record({ [componentId]: version }),
        fc.record({ [componentId]: version, MODEM: version }),
      ),
    })
    .map((fields) => makeDevice(id, fields));

const devices = fc.tuple(...ids.map(device)).map((all) => all as Device[]);

const component = (id: string): fc.Arbitrary<PlanDraft['components'][number]> =>
  fc.record({
    componentId: fc.constant(id),
    componentType: fc.constant('mcu' as const),
    targetVersion: fc.constant('1.1.0'),
    fullPackageId: fc.constantFrom(null, `full-${id}`),
    deltas: fc
      .subarray(['1.0.0', '1.0.5'])
      .map((sources) =>
        sources.map((sourceVersion) => ({ sourceVersion, packageId: `${id}-${sourceVersion}` })),
      ),
  });

const plan = fc
  .record({
    components: fc.oneof(
      fc.tuple(component(componentId)),
      fc.tuple(component(componentId), component('MODEM')),
    ),
    batches: fc.subarray(['a', 'b']),
    whitelist: someIds,
    blacklist: someIds,
  })
  .map((fields) => planDraftSchema.parse({ ...makePlan(null), ...fields }));

test('whatever the lists say: the blacklist wins, China Telecom is never chosen, each device is decided once', () => {
  fc.assert(
    fc.property(plan, devices, (draft, all) => {
      const decisions = decideScope(draft, all, policy);
      const mine = all.filter((one) => one.productId === productId);
      expect(decisions.map((decision) => decision.deviceId)).toEqual(mine.map((one) => one.id));
      for (const decision of decisions) {
        const found = all.find((one) => one.id === decision.deviceId);
        const isChosen = decision.action !== 'skip';
        expect(isChosen).toBe(decision.reason === null);
        expect(isChosen).toBe(decision.packageId !== null);
        if (draft.blacklist.includes(decision.deviceId))
          expect(decision.reason).toBe('blacklisted');
        if (!isChosen || !found) continue;
        expect(/^460(03|05|11)/.test(found.imsi ?? '')).toBe(false);
        expect(/^8986(03|11)/.test(found.iccid ?? '')).toBe(false);
        if (draft.whitelist.length > 0) expect(draft.whitelist).toContain(found.id);
        if (draft.batches.length > 0) expect(draft.batches).toContain(found.batch);
        for (const one of draft.components) {
          const runs = found.versions[one.componentId] ?? null;
          if (runs !== one.targetVersion) expect(choosePackage(one, runs)).not.toBeNull();
        }
      }
    }),
  );
});

test('the summary counts every decision once and names every China Telecom device', () => {
  fc.assert(
    fc.property(plan, devices, (draft, all) => {
      const decisions = decideScope(draft, all, policy);
      const summary = summarizeScope(decisions);
      const skipped = summary.skipped.reduce((sum, entry) => sum + entry.count, 0);
      expect(summary.full + summary.delta + skipped).toBe(decisions.length);
      for (const entry of summary.skipped) {
        const wanted = decisions.filter((decision) => decision.reason === entry.reason);
        expect(entry.devices).toEqual(wanted.map((decision) => decision.deviceId));
      }
    }),
  );
});

test('all China Telecom devices are named, of other reasons the first thousand', () => {
  const many = Array.from({ length: 1500 }, (_, index) => makeDevice(`dev-${index}`));
  const draft = planDraftSchema.parse(makePlan('full'));
  const telecom = many.map((one) => ({ ...one, imsi: '46003' }));
  const [named] = summarizeScope(decideScope(draft, telecom, policy)).skipped;
  expect(named?.devices.length).toBe(1500);
  const upToDate = many.map(({ id }) => makeDevice(id, { versions: { [componentId]: '1.1.0' } }));
  const [counted] = summarizeScope(decideScope(draft, upToDate, policy)).skipped;
  expect(counted).toMatchObject({ reason: 'noUpdateRequired', count: 1500 });
  expect(counted?.devices.length).toBe(1000);
});

test('a delta is chosen from exactly the reported version, else the full package, else nothing', () => {
  const [one] = makePlan('full').components;
  if (!one) throw new Error('no component');
  const withDelta = { ...one, deltas: [{ sourceVersion: '1.0.0', packageId: 'delta' }] };
  expect(choosePackage(withDelta, '1.0.0')).toEqual({ packageType: 'delta', packageId: 'delta' });
  expect(choosePackage(withDelta, '1.0')).toEqual({ packageType: 'full', packageId: 'full' });
  expect(choosePackage(withDelta, null)).toEqual({ packageType: 'full', packageId: 'full' });
  expect(choosePackage({ ...withDelta, fullPackageId: null }, '1.0.5')).toBeNull();
});

test('a version called like a built-in property is none that was reported', () => {
  const draft = planDraftSchema.parse({
    ...makePlan(null),
    components: [{ ...makePlan('full').components[0], componentId: 'constructor' }],
  });
  const [decision] = decideScope(draft, [makeDevice('dev-1', { versions: {} })], policy);
  expect(decision).toMatchObject({ action: 'skip', reason: 'neverReported' });
});

test('a device that never reported a component is upgraded only when the plan allows it', () => {
  const [app] = planDraftSchema.parse(makePlan('full')).components;
  if (!app) throw new Error('no component');
  const modem = { ...app, componentId: 'MODEM', fullPackageId: 'modem' };
  const draft = planDraftSchema.parse({ ...makePlan('full'), components: [app, modem] });
  const half = makeDevice('dev-1', { versions: { [componentId]: '1.0.0' } });
  expect(decideScope(draft, [half], policy)).toMatchObject([
    { reason: 'neverReported', detail: 'It never reported the version of MODEM.', packageIds: [] },
  ]);
  const allowed = { ...draft, allowNeverReported: true };
  expect(decideScope(allowed, [half], policy)).toMatchObject([
    { action: 'full', packageId: 'full', packageIds: ['full', 'modem'] },
  ]);
});

test('what a device was declared with does not make it upgradable, and its own word overrides it', () => {
  const draft = planDraftSchema.parse({
    ...makePlan('full'),
    components: [
      {
        ...makePlan('full').components[0],
        deltas: [{ sourceVersion: '1.0.0', packageId: 'delta' }],
      },
    ],
  });
  const decide = (device: Device, changes: Partial<PlanDraft> = {}) =>
    decideScope({ ...draft, ...changes }, [device], policy)[0];
  const declared = makeDevice('dev-1', { reports: {} });
  const old = makeDevice('dev-1');
  expect(decide(declared)).toMatchObject({
    action: 'skip',
    reason: 'onlyDeclared',
    detail: `${componentId} was declared as 1.0.0, and it never reported it.`,
  });
  const { reports: _reports, ...unknown } = declared;
  expect(decide(unknown)).toMatchObject({ reason: 'onlyDeclared' });
  // Declared to run the target is no proof of it either.
  const target = makeDevice('dev-1', { versions: { [componentId]: '1.1.0' }, reports: {} });
  expect(decide(target)).toMatchObject({ reason: 'onlyDeclared' });
  expect(decide(target, { allowNeverReported: true })).toMatchObject({ action: 'full' });
  // A delta needs a source that is known: a declared one gets the full package where that is allowed.
  expect(decide(declared, { allowNeverReported: true })).toMatchObject({ packageIds: ['full'] });
  expect(decide(old)).toMatchObject({ packageIds: ['delta'] });
  const renewed = { ...old, versions: { [componentId]: '0.9.0' } };
  expect(decide(renewed)).toMatchObject({ packageIds: ['delta'] });
  const fleet = [declared, old, makeDevice('dev-2', { versions: {} })];
  expect(summarizeScope(decideScope(draft, fleet, policy))).toMatchObject({
    delta: 1,
    skipped: [
      { reason: 'neverReported', count: 1, devices: ['dev-2'] },
      { reason: 'onlyDeclared', count: 1, devices: ['dev-1'] },
    ],
  });
});

test('a delta that the devices cannot apply gives way to the full package, or to nothing', () => {
  const [app] = planDraftSchema.parse(makePlan('full')).components;
  if (!app) throw new Error('no component');
  const delta = { sourceVersion: '1.0.0', packageId: 'delta', cannotApply: 'too big' };
  const draft = planDraftSchema.parse({
    ...makePlan('full'),
    components: [{ ...app, deltas: [delta] }],
  });
  const decide = (changes: object) =>
    decideScope({ ...draft, ...changes }, [makeDevice('dev-1')], policy)[0];
  expect(decide({})).toMatchObject({ action: 'full', packageId: 'full' });
  expect(decide({ fallbackToFull: false })).toMatchObject({
    reason: 'cannotApply',
    detail:
      'APP cannot apply the delta from 1.0.0: too big; the plan does not fall back to the full package.',
  });
  const { cannotApply: _none, ...sound } = delta;
  expect(decide({ components: [{ ...app, deltas: [sound] }] })).toMatchObject({ action: 'delta' });
});

test('only the exact network codes and prefixes mean China Telecom', () => {
  const none = (fields: Partial<Device>) =>
    isChinaTelecom(makeDevice('d', fields), policy.chinaTelecomIccidPrefixes);
  expect(none({ imsi: '460011234567890' })).toBeNull();
  expect(none({ imsi: '4600' })).toBeNull();
  expect(none({ iccid: '898601' })).toBeNull();
  expect(none({ imsi: '460111234567890' })).toMatch(/46011/);
  expect(none({ iccid: '89861199999999999999' })).toMatch(/898611/);
  expect(isChinaTelecom(makeDevice('d', { iccid: '8986031' }), [])).toBeNull();
});

test('a device that would skip a version is left out with the reason, whatever package there is', () => {
  const draft = planDraftSchema.parse({
    ...makePlan('full'),
    components: [
      {
        ...makePlan('full').components[0],
        deltas: [{ sourceVersion: '1.0.0', packageId: 'delta' }],
      },
    ],
  });
  const decide = (version: string | null, path: object) => {
    const versions = version === null ? {} : { [componentId]: version };
    const upgradePaths = { [componentId]: path };
    const plan = { ...draft, allowNeverReported: true };
    return decideScope(plan, [makeDevice('dev-1', { versions })], { ...policy, upgradePaths })[0];
  };
  expect(decide('1.0.0', { minSourceVersion: '1.0.5' })).toMatchObject({
    action: 'skip',
    reason: 'stepSkipped',
    detail: 'APP 1.0.0 is older than 1.0.5, the oldest that may be upgraded.',
  });
  expect(decide('1.0.5', { minSourceVersion: '1.0.5' })).toMatchObject({ action: 'full' });
  expect(decide('1.0.0', { requiredSteps: ['1.0.5'] })).toMatchObject({
    reason: 'stepSkipped',
    detail: 'APP must not go from 1.0.0 to 1.1.0 without 1.0.5.',
  });
  expect(decide('1.0.5', { requiredSteps: ['1.0.5', '1.1.0', '1.2.0'] })).toMatchObject({
    action: 'full',
  });
  expect(decide(null, { minSourceVersion: '1.0.5' })).toMatchObject({ action: 'full' });
  expect(decide('1.0.0', {})).toMatchObject({ action: 'delta' });
});

test('a product that describes no path changes no policy', () => {
  const plain = sensorProduct(0);
  expect(upgradePaths(plain)).toEqual({});
  const [component] = plain.components;
  const described = {
    ...plain,
    components: [{ ...component, minSourceVersion: '1.0.0' } as never],
  };
  expect(upgradePaths(described)).toMatchObject({
    upgradePaths: { STM32: { minSourceVersion: '1.0.0' } },
  });
});
