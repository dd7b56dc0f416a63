import { expect, test } from 'vitest';
import { cannotApply, markDeltas } from '../../shared/domain/delta-capability.ts';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import type { DeltaProof } from '../../shared/domain/product.ts';
import { makePackage, makePlan } from '../support/cloud.ts';
import { sensorProduct } from '../support/records.ts';

const cost = { ramBytes: 40_000, flashBytes: 1, airBytes: 1, airSeconds: null, erases: null };
const proof = (fields: Partial<DeltaProof>) => ({
  deltaProof: {
    format: 'bsdiff',
    sourceSha256: 'a'.repeat(64),
    targetSha256: 'b'.repeat(64),
    patchSha256: 'c'.repeat(64),
    patchSizeBytes: 50,
    targetSizeBytes: 100,
    elapsedMs: 1,
    peakRssBytes: 1,
    proven: true as const,
    cost,
    ...fields,
  },
});

test('a delta fits the formats, the compressions and the RAM that the component describes', () => {
  const limits = {
    formats: ['bsdiff' as const, 'detools' as const],
    compressions: ['crle' as const],
    ramBytes: 50_000,
  };
  expect(cannotApply(proof({}), limits)).toBeNull();
  expect(cannotApply(proof({ format: 'bsdiff40' }), limits)).toBeNull();
  expect(cannotApply(proof({ format: 'vcdiff' }), limits)).toMatch(/not vcdiff/);
  expect(cannotApply(proof({ format: 'detools', compression: 'lzma' }), limits)).toMatch(/lzma/);
  expect(cannotApply(proof({ format: 'detools', compression: 'crle' }), limits)).toBeNull();
  expect(cannotApply(proof({ cost: { ...cost, ramBytes: 60_000 } }), limits)).toMatch(
    /58\.6 KiB of RAM/,
  );
});

test('what is not described or not ours is not judged', () => {
  expect(cannotApply(proof({ format: 'vcdiff' }), undefined)).toBeNull();
  expect(cannotApply({ deltaProof: null }, { formats: ['bsdiff'] })).toBeNull();
});

test('the mark goes by the description of now, whatever mark there was', () => {
  const product = sensorProduct(0);
  const [part] = product.components;
  if (!part) throw new Error('no component');
  const pkg = makePackage({ packageType: 'delta', sourceVersion: '1.0.0', ...proof({}) });
  const [component] = makePlan('full').components;
  const deltas = [{ sourceVersion: '1.0.0', packageId: pkg.id, cannotApply: 'once' }];
  const plan = planDraftSchema.parse({
    ...makePlan('full'),
    components: [{ ...component, componentId: part.id, deltas }],
  });
  expect(markDeltas(plan, product, [pkg]).components[0]?.deltas).toEqual([
    { sourceVersion: '1.0.0', packageId: pkg.id },
  ]);
  const limited = {
    ...product,
    components: [{ ...part, delta: { formats: ['detools' as const] } }],
  };
  expect(markDeltas(plan, limited, [pkg]).components[0]?.deltas[0]?.cannotApply).toBe(
    'the device decodes detools, not bsdiff',
  );
});
