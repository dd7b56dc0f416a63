import { useEffect, useState, useSyncExternalStore } from 'react';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';

/** Reads one page of a long list. */
export type FetchPage<Row> = (
  offset: number,
  limit: number,
) => Promise<{ readonly total: number; readonly items: readonly Row[] }>;

/** What a grid draws of a list that is fetched page by page. */
export interface PagedSnapshot<Row> {
  /** `null` before the first page has arrived. */
  readonly total: number | null;
  readonly problem: Problem | null;
  readonly row: (index: number) => Row | undefined;
}

interface Page<Row> {
  readonly items: readonly Row[];
  isStale: boolean;
}

const pageRows = 100;

/**
 * A list of any length of which only the pages in sight are fetched, one request at a time: while
 * someone scrolls through 10,000 rows, the pages that have gone by already are not asked for.
 */
export class PagedRows<Row> {
  readonly #fetch: FetchPage<Row>;
  readonly #pages = new Map<number, Page<Row>>();
  readonly #listeners = new Set<() => void>();
  #visible = { first: 0, last: 0 };
  #isLoading = false;
  #snapshot: PagedSnapshot<Row>;

  constructor(fetch: FetchPage<Row>) {
    this.#fetch = fetch;
    this.#snapshot = { total: null, problem: null, row: this.#row };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): PagedSnapshot<Row> => this.#snapshot;

  /** Tells which rows are in sight; their pages are fetched unless they are there and fresh. */
  readonly show = (first: number, last: number): void => {
    this.#visible = { first, last };
    void this.#load();
  };

  /** Fetches the pages in sight again; all others when they come into sight. Old rows stay until then. */
  readonly refresh = (): void => {
    for (const page of this.#pages.values()) page.isStale = true;
    void this.#load();
  };

  readonly #row = (index: number): Row | undefined =>
    this.#pages.get(Math.floor(index / pageRows))?.items[index % pageRows];

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      for (let page = this.#wanted(); page !== null; page = this.#wanted()) {
        const { total, items } = await this.#fetch(page * pageRows, pageRows);
        this.#pages.set(page, { items, isStale: false });
        for (const known of this.#pages.keys())
          if (known * pageRows >= Math.max(1, total)) this.#pages.delete(known);
        this.#publish(total, null);
      }
    } catch (error) {
      this.#publish(this.#snapshot.total, toProblem(error));
    } finally {
      this.#isLoading = false;
    }
  }

  #wanted(): number | null {
    const { total } = this.#snapshot;
    const lastRow = total === null ? 0 : Math.max(0, Math.min(this.#visible.last, total - 1));
    const firstRow = Math.min(this.#visible.first, lastRow);
    for (
      let page = Math.floor(firstRow / pageRows);
      page <= Math.floor(lastRow / pageRows);
      page++
    ) {
      const known = this.#pages.get(page);
      if (!known || known.isStale) return page;
    }
    return null;
  }

  #publish(total: number | null, problem: Problem | null): void {
    this.#snapshot = { total, problem, row: this.#row };
    for (const listener of this.#listeners) listener();
  }
}

/** A paged list for a grid; a new one begins whenever `key` changes. */
export function usePagedRows<Row>(
  key: string,
  fetch: FetchPage<Row>,
): PagedSnapshot<Row> & Pick<PagedRows<Row>, 'show' | 'refresh'> {
  const [current, setCurrent] = useState(() => ({ key, rows: new PagedRows(fetch) }));
  let { rows } = current;
  if (current.key !== key) {
    rows = new PagedRows(fetch);
    setCurrent({ key, rows });
  }
  useEffect(() => rows.refresh(), [rows]);
  const snapshot = useSyncExternalStore(rows.subscribe, rows.snapshot);
  return { ...snapshot, show: rows.show, refresh: rows.refresh };
}
