import { expect, test } from 'vitest';
import type { BenchRun } from '../../shared/domain/bench.ts';
import { type Plan, planSchema } from '../../shared/domain/plan.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';
import { recordPartsOf } from '../../renderer/views/evidence/record-parts.ts';

const finding = (verdict: 'pass' | 'warn' | 'block') => ({
  rule: 'a.rule',
  verdict,
  title: '',
  detail: '',
  fix: '',
  waivable: false,
  evidence: {},
});
const pack = (changes: Partial<VersionPackage>): VersionPackage => ({
  id: 'full',
  releaseId: 'r',
  productId: 'P',
  componentId: 'STM32',
  componentType: 'mcu',
  name: 'n',
  packageType: 'full',
  sourceVersion: null,
  targetVersion: '2',
  files: [{ name: 'a.bin', role: 'image', sizeBytes: 1, sha256: 'image', format: 'raw' }],
  sha256: 'archive',
  sizeBytes: 1,
  report: { verdict: 'pass', files: [] },
  deltaProof: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...changes,
});
const plan = (changes: Partial<Plan>): Plan => ({
  ...planSchema.parse({
    id: 'plan',
    name: 'Plan',
    productId: 'P',
    releaseId: 'r',
    components: [
      {
        componentId: 'STM32',
        componentType: 'mcu',
        targetVersion: '2',
        fullPackageId: 'full',
        deltas: [],
      },
    ],
    state: 'saved',
    createdAt: '2026-01-01T00:00:00.000Z',
    publishedAt: null,
  }),
  ...changes,
});
const run = (passed: boolean, version: string | null): BenchRun => ({
  id: `run ${version}`,
  releaseId: 'r',
  imageSha256: 'image',
  imageName: 'a.bin',
  port: 'COM3',
  recordingSha256: 'recording',
  startedAt: '2026-01-01T00:00:00.000Z',
  passed,
  result: {
    protocol: 'stm32',
    chip: 'STM32F103',
    bytesWritten: 1,
    skippedBytes: 0,
    verified: true,
    booted: { version, matched: passed },
    elapsedMs: 1,
    bytesPerSec: 1,
    recording: 'r.jsonl',
  },
});

test('the preview holds what an export writes: own packages, proven deltas, runs, published plans', () => {
  const report = {
    verdict: 'warn' as const,
    files: [
      {
        name: 'a.bin',
        sizeBytes: 1,
        sha256: 'image',
        format: 'raw',
        findings: [finding('pass'), finding('warn')],
      },
    ],
  };
  const proof = {
    format: 'bsdiff40',
    sourceSha256: 'source',
    targetSha256: 'image',
    patchSha256: 'patch',
    patchSizeBytes: 1,
    targetSizeBytes: 1,
    elapsedMs: 1,
    peakRssBytes: 1,
    proven: true as const,
  };
  const parts = recordPartsOf(
    'r',
    [
      pack({ report }),
      pack({ id: 'delta', packageType: 'delta', sourceVersion: '1', deltaProof: proof }),
      pack({ id: 'other', releaseId: 'another release' }),
    ],
    [run(true, '2'), run(false, null)],
    [plan({}), plan({ id: 'sent', state: 'ended', publishedAt: '2026-01-02T00:00:00.000Z' })],
  );
  expect(parts.packages.map(({ title, detail, verdict }) => [title, detail, verdict])).toEqual([
    ['STM32 full', 'a.bin: 2 checks, 1 not passed (worst: warn)', 'warn'],
    ['STM32 delta from 1', 'a.bin: no check was made', 'pass'],
  ]);
  expect(parts.deltas.map(({ title, sha256 }) => [title, sha256])).toEqual([
    ['STM32 1 → 2', 'image'],
  ]);
  expect(parts.benchRuns.map(({ detail, verdict }) => [detail, verdict])).toEqual([
    ['verified by read-back, booted 2, with its serial recording', 'pass'],
    [
      'verified by read-back, showed no version, which is not what was expected, with its serial recording',
      'block',
    ],
  ]);
  expect(parts.rollouts.map(({ id, detail }) => [id, detail])).toEqual([
    ['sent', 'state ended, with its gates, counts and the outcome of every device'],
  ]);
  expect(parts.unpublishedPlans).toBe(1);
});
