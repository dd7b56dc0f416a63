import { describe, expect, test } from 'vitest';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import { type Product, productSchema, type VersionPackage } from '../../shared/domain/product.ts';
import { inSequence } from '../../shared/domain/upgrade-sequence.ts';
import { parseDeviceList } from '../../shared/domain/device-list.ts';
import {
  defaultChoice,
  draftOf,
  offersOf,
  type PlanForm,
} from '../../renderer/views/rollout/plan-choices.ts';
import { emptyOptions, moved, optionFields } from '../../renderer/views/rollout/plan-options.ts';

const product: Product = productSchema.parse({
  id: 'SENSOR-1',
  name: 'Sensor',
  components: [
    { id: 'EC600N', name: 'Module', type: 'module' },
    { id: 'STM32', name: 'Sensor firmware', type: 'mcu' },
  ],
});
let made = 0;
const pack = (changes: Partial<VersionPackage>): VersionPackage => ({
  id: `pkg-${++made}`,
  releaseId: 'r2',
  productId: 'SENSOR-1',
  componentId: 'STM32',
  componentType: 'mcu',
  name: 'package',
  packageType: 'full',
  sourceVersion: null,
  targetVersion: '1.10.0',
  files: [{ name: 'a.bin', role: 'image', sizeBytes: 4, sha256: 'target', format: 'raw' }],
  sha256: 'archive',
  sizeBytes: 8,
  report: { verdict: 'pass', files: [] },
  deltaProof: null,
  createdAt: `2026-01-01T00:00:0${made % 10}.000Z`,
  ...changes,
});
const delta = (sourceVersion: string, targetSha256 = 'target'): VersionPackage =>
  pack({
    packageType: 'delta',
    sourceVersion,
    deltaProof: {
      format: 'bsdiff40',
      sourceSha256: 'source',
      targetSha256,
      patchSha256: 'patch',
      patchSizeBytes: 1,
      targetSizeBytes: 4,
      elapsedMs: 1,
      peakRssBytes: 1,
      proven: true,
    },
  });
const form: PlanForm = {
  ...emptyOptions,
  name: ' Spring ',
  choices: {},
  batches: ['B1'],
  retries: 3,
  stages: null,
  stopRules: null,
};
const lists = { whitelist: parseDeviceList('a\nb'), blacklist: parseDeviceList('b') };

describe('what a release offers to a plan', () => {
  test('each component with packages of this release, the newest first, deltas by source version', () => {
    const [old, fresh] = [pack({}), pack({})];
    const offers = offersOf(product, 'r2', [
      old,
      delta('1.9.0'),
      delta('1.2.0'),
      fresh,
      pack({ releaseId: 'r1' }),
    ]);
    expect(offers.map((offer) => offer.componentId)).toEqual(['STM32']);
    expect(offers[0]?.fulls.map((pkg) => pkg.id)).toEqual([fresh.id, old.id]);
    expect(offers[0]?.deltas.map((pkg) => pkg.sourceVersion)).toEqual(['1.2.0', '1.9.0']);
  });

  test('a delta that rebuilds another image is not taken unless asked for', () => {
    const full = pack({});
    const [good, stale] = [delta('1.2.0'), delta('1.3.0', 'another target')];
    const [offer] = offersOf(product, 'r2', [full, good, stale]);
    if (!offer) throw new Error('no offer');
    expect(defaultChoice(offer)).toEqual({
      included: true,
      fullPackageId: full.id,
      deltaPackageIds: [good.id],
    });
  });
});

describe('the plan that the form makes', () => {
  const full = pack({});
  const patch = delta('1.2.0');
  const offers = offersOf(product, 'r2', [full, patch]);

  test('holds the packages, the lists and the rest, as the engine takes it', () => {
    const made = draftOf('r2', product, offers, form, lists);
    if (!('draft' in made)) throw new Error(made.missing);
    expect(planDraftSchema.parse(made.draft)).toEqual({
      name: 'Spring',
      productId: 'SENSOR-1',
      releaseId: 'r2',
      mode: 'silent',
      components: [
        {
          componentId: 'STM32',
          componentType: 'mcu',
          targetVersion: '1.10.0',
          fullPackageId: full.id,
          deltas: [{ sourceVersion: '1.2.0', packageId: patch.id }],
        },
      ],
      batches: ['B1'],
      whitelist: ['a', 'b'],
      blacklist: ['b'],
      retries: 3,
      minRsrpDbm: -113,
      minBatteryPercent: 30,
      fallbackToFull: true,
    });
  });

  test('can be deltas alone', () => {
    const choices = {
      STM32: { included: true, fullPackageId: null, deltaPackageIds: [patch.id] },
    };
    const made = draftOf('r2', product, offers, { ...form, choices }, lists);
    if (!('draft' in made)) throw new Error(made.missing);
    expect(made.draft.components).toMatchObject([
      { fullPackageId: null, targetVersion: '1.10.0', deltas: [{ packageId: patch.id }] },
    ]);
  });

  test.each([
    [{ ...form, name: '  ' }, lists, 'Give the plan a name.'],
    [
      {
        ...form,
        choices: { STM32: { included: false, fullPackageId: null, deltaPackageIds: [] } },
      },
      lists,
      'Choose at least one component with a full or a delta package.',
    ],
    [
      { ...form, choices: { STM32: { included: true, fullPackageId: null, deltaPackageIds: [] } } },
      lists,
      'Choose at least one component with a full or a delta package.',
    ],
    [
      form,
      { ...lists, blacklist: parseDeviceList('ok\nnot ok') },
      'The blacklist: Line 2: "not ok" is not a device id.',
    ],
  ])('is not there yet: %#', (badForm, badLists, missing) => {
    expect(draftOf('r2', product, offers, badForm, badLists)).toEqual({ missing });
  });
});

describe('the options of a plan', () => {
  test('times bring their zone along, and texts go with a manual plan only', () => {
    const timed = {
      ...emptyOptions,
      timeZone: 'Europe/Berlin',
      start: '2026-05-01T10:00',
      end: '2026-05-02T10:00',
      pushFrom: '22:00',
      pushTo: '04:00',
      texts: [
        { language: 'zh', text: ' 新 ' },
        { language: 'en', text: 'New' },
        { language: 'de', text: '' },
      ],
    };
    expect(optionFields(timed)).toMatchObject({
      fields: {
        timeZone: 'Europe/Berlin',
        plannedTime: { start: '2026-05-01T10:00', end: '2026-05-02T10:00' },
        pushPeriod: { from: '22:00', to: '04:00' },
      },
    });
    expect(optionFields(timed)).not.toHaveProperty('fields.upgradeTexts');
    expect(optionFields({ ...timed, mode: 'manual' })).toHaveProperty('fields.upgradeTexts', {
      zh: '新',
      en: 'New',
    });
    expect(optionFields(emptyOptions)).not.toHaveProperty('fields.timeZone');
  });

  test('half a period is no period', () => {
    expect(optionFields({ ...emptyOptions, end: '2026-05-02T10:00' })).toEqual({
      missing: expect.stringMatching(/start and an end/),
    });
    expect(optionFields({ ...emptyOptions, pushFrom: '22:00' })).toEqual({
      missing: expect.stringMatching(/beginning and an end/),
    });
  });

  test('components keep the order that a person gave them', () => {
    const items = ['A', 'B', 'C'].map((componentId) => ({ componentId }));
    const ids = inSequence(items, moved(['A', 'B'], 0, 1)).map(({ componentId }) => componentId);
    expect(ids).toEqual(['B', 'A', 'C']);
    expect(moved(['A', 'B'], 0, -1)).toEqual(['A', 'B']);
  });
});
