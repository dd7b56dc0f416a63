import type { Device, PlanDraft, ScopeDecision } from './plan.ts';
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

/** Versions that run side by side on devices once a plan has ended. */
export interface VersionCombination {
  readonly versions: Versions;
  readonly devices: number;
}

/** What runs side by side after a plan: what it delivers, and what its devices have already. */
export function combinationsAfter(
  plan: PlanDraft,
  devices: readonly Device[],
  decisions: readonly ScopeDecision[],
): readonly VersionCombination[] {
  const chosen = new Set(
    decisions.filter(({ action }) => action !== 'skip').map(({ deviceId }) => deviceId),
  );
  const targets = plan.components.map(
    ({ componentId, targetVersion }) => [componentId, targetVersion] as const,
  );
  const combinations = new Map<string, { versions: Versions; devices: number }>();
  for (const { id, versions } of devices) {
    if (!chosen.has(id)) continue;
    const after = Object.fromEntries([...Object.entries(versions), ...targets]);
    const key = JSON.stringify(Object.entries(after).toSorted());
    const known = combinations.get(key) ?? { versions: after, devices: 0 };
    known.devices += 1;
    combinations.set(key, known);
  }
  return [...combinations.values()];
}

/** Combinations that no row of the product's matrix holds, as "A 1.0 with B 2.0 (3 devices)". */
export function incompatible(
  product: Product,
  combinations: readonly VersionCombination[],
): readonly string[] {
  const named = new Set((product.compatibility ?? []).flatMap((row) => Object.keys(row)));
  const counts = new Map<string, number>();
  for (const { versions, devices } of combinations) {
    if (worksTogether(product, versions)) continue;
    const text = Object.entries(versions)
      .filter(([id]) => named.has(id))
      .map(([id, version]) => `${id} ${version}`)
      .toSorted()
      .join(' with ');
    counts.set(text, (counts.get(text) ?? 0) + devices);
  }
  return Array.from(counts, ([text, devices]) => `${text} (${devices} devices)`);
}

function schemeOf(product: Product, componentId: string): Component['versionScheme'] {
  return product.components.find(({ id }) => id === componentId)?.versionScheme;
}
