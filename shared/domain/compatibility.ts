import type { Component, Product } from './product.ts';
import { isInRange } from './version-range.ts';

/** Component id to version. */
export type Versions = Readonly<Record<string, string>>;

/**
 * Whether versions of several components work together: some row of the product's matrix holds
 * them all. A row says nothing about components that it does not name; true when there is no matrix.
 */
export function worksTogether(product: Product, versions: Versions): boolean {
  const rows = product.compatibility ?? [];
  const named = new Set(rows.flatMap((row) => Object.keys(row)));
  const known = Object.entries(versions).filter(([id]) => named.has(id));
  if (known.length === 0) return true;
  return rows.some((row) =>
    known.every(([id, version]) => {
      const range = Object.hasOwn(row, id) ? row[id] : undefined;
      return range === undefined || isInRange(schemeOf(product, id), version, range) === true;
    }),
  );
}

/** Other components that the matrix names beside this one. */
export function relatedComponents(product: Product, componentId: string): readonly string[] {
  const rows = (product.compatibility ?? []).filter((row) => Object.hasOwn(row, componentId));
  return [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((id) => id !== componentId);
}

function schemeOf(product: Product, componentId: string): Component['versionScheme'] {
  return product.components.find(({ id }) => id === componentId)?.versionScheme;
}
