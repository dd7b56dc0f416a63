import type { BenchRun } from '../../../shared/domain/bench.ts';
import {
  type BenchJudgement,
  judgeBench,
  policyText,
} from '../../../shared/domain/bench-policy.ts';
import type { Component, Product, VersionPackage } from '../../../shared/domain/product.ts';
import { pluralText } from '../../widgets/format-text.ts';

/** A full package of a release that the bench can flash: one image for an MCU component. */
export interface FlashableImage {
  readonly packageId: string;
  readonly releaseId: string;
  readonly targetVersion: string;
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
      const { id: packageId, targetVersion } = pkg;
      return [
        { packageId, releaseId, targetVersion, component, fileName: name, sizeBytes, sha256 },
      ];
    });
}

/** How far the product's bench policy is met for exactly one image. */
export interface BenchPolicyState {
  readonly isMet: boolean;
  /** For example `1 of 1 required runs passed for this exact image`. */
  readonly text: string;
  /** Where the policy counts boards: the runs, and why some do not count. */
  readonly judged: BenchJudgement | null;
}

/** Counts the runs of an image by its SHA-256; runs of any other image mean nothing. */
export function benchPolicyOf(
  product: Product,
  image: Pick<FlashableImage, 'sha256' | 'releaseId' | 'targetVersion'>,
  runs: readonly BenchRun[],
  at: string,
): BenchPolicyState {
  const { benchRunsRequired: required, bench: policy } = product.policy;
  const passed = runs.filter((run) => run.passed && run.imageSha256 === image.sha256).length;
  if (policy) {
    const judged = judgeBench({ ...image, policy, imageSha256: image.sha256, runs, at });
    const tooFew = passed < required ? `, and ${pluralText(required, 'passed run')}` : '';
    return {
      isMet: judged.isMet && passed >= required,
      text: `The policy asks for ${policyText(policy)}, with this exact image${tooFew}`,
      judged,
    };
  }
  return {
    isMet: passed >= required,
    text:
      required === 0
        ? `The product requires no bench run; ${passed} passed for this exact image`
        : `${Math.min(passed, required)} of ${required} required runs passed for this exact image${passed > required ? ` (${passed} in all)` : ''}`,
    judged: null,
  };
}
