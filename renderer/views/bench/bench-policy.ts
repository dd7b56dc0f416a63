import type { BenchRun } from '../../../shared/domain/bench.ts';
import type { Component, Product, VersionPackage } from '../../../shared/domain/product.ts';

/** A full package of a release that the bench can flash: one image for an MCU component. */
export interface FlashableImage {
  readonly packageId: string;
  readonly component: Component;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The images of a release that can be put on a board, newest first. */
export function flashableImages(
  product: Product,
  releaseId: string,
  packages: readonly VersionPackage[],
): readonly FlashableImage[] {
  return packages
    .filter(
      (pkg) =>
        pkg.releaseId === releaseId &&
        pkg.packageType === 'full' &&
        pkg.componentType === 'mcu' &&
        pkg.files.length === 1,
    )
    .toSorted((one, other) => other.createdAt.localeCompare(one.createdAt))
    .flatMap((pkg) => {
      const component = product.components.find((candidate) => candidate.id === pkg.componentId);
      const [file] = pkg.files;
      if (!component || !file) return [];
      const { name, sizeBytes, sha256 } = file;
      return [{ packageId: pkg.id, component, fileName: name, sizeBytes, sha256 }];
    });
}

/** How far the product's bench policy is met for exactly one image. */
export interface BenchPolicyState {
  readonly required: number;
  readonly passed: number;
  readonly isMet: boolean;
  /** For example `1 of 1 required runs passed for this exact image`. */
  readonly text: string;
}

/** Counts the passed runs of an image by its SHA-256; runs of any other image mean nothing. */
export function benchPolicyOf(
  product: Product,
  imageSha256: string,
  runs: readonly BenchRun[],
): BenchPolicyState {
  const required = product.policy.benchRunsRequired;
  const passed = runs.filter((run) => run.passed && run.imageSha256 === imageSha256).length;
  return {
    required,
    passed,
    isMet: passed >= required,
    text:
      required === 0
        ? `The product requires no bench run; ${passed} passed for this exact image`
        : `${Math.min(passed, required)} of ${required} required runs passed for this exact image${passed > required ? ` (${passed} in all)` : ''}`,
  };
}
