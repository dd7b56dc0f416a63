import type { GridSort } from './data-grid.tsx';

/** The next order when a column head is pressed: ascending first, then the other way round. */
export function nextSort(sort: GridSort | undefined, columnId: string): GridSort {
  return { columnId, descending: sort?.columnId === columnId && !sort.descending };
}

/** Rows in the order of a column; texts by their numbers too, so that 1.10 comes after 1.9. */
export function sortRows<Row>(
  rows: readonly Row[],
  sort: GridSort | undefined,
  valueOf: (row: Row, columnId: string) => string | number | null,
): readonly Row[] {
  if (!sort) return rows;
  const direction = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const left = valueOf(a, sort.columnId);
    const right = valueOf(b, sort.columnId);
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === 'number' && typeof right === 'number') return direction * (left - right);
    return direction * String(left).localeCompare(String(right), 'en', { numeric: true });
  });
}
