import type { BenchRun } from '../../shared/domain/bench.ts';
import type { Product, VersionPackage } from '../../shared/domain/product.ts';

/** A SHA-256 in hex that is easy to tell apart in a failing test. */
export const hash = (digit: string): string => digit.repeat(64);

/** A product with one MCU component, as it stands in `slipway.yaml`. */
export function sensorProduct(benchRunsRequired: number): Product {
  return {
    id: 'SENSOR-1',
    name: 'Sensor',
    components: [{ id: 'STM32', name: 'Sensor firmware', type: 'mcu' }],
    policy: { benchRunsRequired },
  };
}

/** A full version package of one image, changed as a test needs it. */
export function fullPackage(changes: Partial<VersionPackage> = {}): VersionPackage {
  const sha256 = hash('a');
  return {
    id: 'full',
    releaseId: 'r-1.1.0',
    productId: 'SENSOR-1',
    componentId: 'STM32',
    componentType: 'mcu',
    name: 'SENSOR-1 STM32 1.1.0',
    packageType: 'full',
    sourceVersion: null,
    targetVersion: '1.1.0',
    files: [{ name: 'sensor.bin', role: 'image', sizeBytes: 100, sha256, format: 'cortex-m' }],
    sha256: hash('b'),
    sizeBytes: 2048,
    report: {
      verdict: 'pass',
      files: [{ name: 'sensor.bin', sizeBytes: 100, sha256, format: 'cortex-m', findings: [] }],
    },
    deltaProof: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

/** A delta version package whose proof names `targetSha256`. */
export function deltaPackage(
  targetSha256: string,
  changes: Partial<VersionPackage> = {},
): VersionPackage {
  return fullPackage({
    id: 'delta',
    name: 'SENSOR-1 STM32 1.0.0 to 1.1.0',
    packageType: 'delta',
    sourceVersion: '1.0.0',
    files: [{ name: 'p.bin', role: 'delta', sizeBytes: 10, sha256: hash('c'), format: 'bsdiff40' }],
    deltaProof: {
      format: 'bsdiff40',
      sourceSha256: hash('d'),
      targetSha256,
      patchSha256: hash('c'),
      patchSizeBytes: 10,
      targetSizeBytes: 100,
      elapsedMs: 1,
      peakRssBytes: 1,
      proven: true,
    },
    createdAt: '2026-01-02T00:00:00.000Z',
    ...changes,
  });
}

/** A bench run of an image that passed, or did not. */
export function benchRun(
  imageSha256: string,
  passed: boolean,
  changes: Partial<BenchRun> = {},
): BenchRun {
  return {
    id: `run-${imageSha256.slice(0, 4)}-${passed}`,
    releaseId: 'r-1.1.0',
    imageSha256,
    imageName: 'sensor.bin',
    port: 'virtual:stm32-1',
    result: {
      protocol: 'stm32',
      chip: 'STM32F103 medium-density',
      bytesWritten: 100,
      skippedBytes: 0,
      verified: true,
      booted: { version: '1.1.0', matched: passed },
      elapsedMs: 1,
      bytesPerSec: 1,
      recording: '/tmp/r.jsonl',
    },
    recordingSha256: hash('e'),
    startedAt: '2026-01-01T00:00:00.000Z',
    passed,
    ...changes,
  };
}
