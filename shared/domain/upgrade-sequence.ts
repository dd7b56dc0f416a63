import type { VersionPackage } from './product.ts';

/** Components as a plan takes them unless told otherwise: modules before MCUs. */
export function inUpgradeSequence<T extends Pick<VersionPackage, 'componentType'>>(
  components: readonly T[],
): T[] {
  const rank = ({ componentType }: T): number => (componentType === 'module' ? 0 : 1);
  return components.toSorted((one, other) => rank(one) - rank(other));
}
