import type { VersionPackage } from './product.ts';

/** Components as a plan takes them unless told otherwise: modules before MCUs. */
export function inUpgradeSequence<T extends Pick<VersionPackage, 'componentType'>>(
  components: readonly T[],
): T[] {
  const rank = ({ componentType }: T): number => (componentType === 'module' ? 0 : 1);
  return components.toSorted((one, other) => rank(one) - rank(other));
}

/** Things with a component in the order of a sequence; those that it does not name stay last, as they were. */
export function inSequence<T extends { readonly componentId: string }>(
  items: readonly T[],
  sequence: readonly string[],
): T[] {
  const rank = ({ componentId }: T): number => {
    const at = sequence.indexOf(componentId);
    return at < 0 ? sequence.length : at;
  };
  return items.toSorted((one, other) => rank(one) - rank(other));
}
