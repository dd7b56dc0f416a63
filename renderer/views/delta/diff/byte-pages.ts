import type { AreaMap } from '../../../../shared/diff/areas.ts';
import { mostPageBytes } from '../../../../shared/domain/diff-limits.ts';
import { type Problem, toProblem } from '../../../../shared/domain/problem.ts';

/** Bytes of one image at a stretch of addresses, as the engine hands them out. */
interface PaneBytes {
  readonly bytes: Uint8Array;
  readonly holes: readonly { readonly start: number; readonly sizeBytes: number }[];
}

/** Reads both images at a stretch of addresses. */
export type FetchBytes = (
  address: number,
  sizeBytes: number,
) => Promise<{ readonly old: PaneBytes; readonly new: PaneBytes }>;

/** A page of both images: a byte, or -1 where the image has none. */
export interface BytePage {
  readonly old: Int16Array;
  readonly new: Int16Array;
}

/** Pages that are kept: 16 MiB of the window's memory. */
const mostKeptPages = 64;
const hole = -1;

/** Both images of a comparison of any size, of which only pages of 64 KiB around what is in sight are in memory. */
export class BytePages {
  readonly #map: AreaMap;
  readonly #fetch: FetchBytes;
  readonly #listeners = new Set<() => void>();
  readonly #pages = new Map<number, BytePage>();
  #wanted: readonly number[] = [];
  #isLoading = false;
  #problem: Problem | null = null;
  #arrivals = 0;

  constructor(map: AreaMap, fetch: FetchBytes) {
    this.#map = map;
    this.#fetch = fetch;
  }

  /** Tells of every page that arrives, and of a problem. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Grows with every page that arrives. */
  readonly arrivals = (): number => this.#arrivals;

  /** What went wrong last; nothing is asked for until {@link retry}. */
  readonly problem = (): Problem | null => this.#problem;

  get keptPages(): number {
    return this.#pages.size;
  }

  /** The page that holds an offset, with the offset in it; null until it has arrived. */
  at(offset: number): { readonly page: BytePage; readonly at: number } | null {
    const index = Math.floor(offset / mostPageBytes);
    const page = this.#pages.get(index);
    return page ? { page, at: offset - index * mostPageBytes } : null;
  }

  /** Tells what is in sight; `ahead` says where it is moving to, so that the next page is there before it is seen. */
  show(from: number, to: number, ahead: -1 | 0 | 1): void {
    const lastPage = Math.floor((this.#map.sizeBytes - 1) / mostPageBytes);
    const first = Math.max(0, Math.floor(from / mostPageBytes));
    const last = Math.min(lastPage, Math.floor(Math.max(from, to - 1) / mostPageBytes));
    const wanted: number[] = [];
    for (let index = first; index <= last; index++) wanted.push(index);
    if (ahead !== 0) wanted.push(ahead > 0 ? last + 1 : first - 1);
    this.#wanted = wanted.filter((index) => index >= 0 && index <= lastPage);
    for (const index of this.#wanted) this.#touch(index);
    void this.#load();
  }

  /** Asks again after a problem. */
  retry(): void {
    this.#problem = null;
    this.#tell();
    void this.#load();
  }

  /** The page was used last, so that it is given up last. */
  #touch(index: number): void {
    const page = this.#pages.get(index);
    if (!page) return;
    this.#pages.delete(index);
    this.#pages.set(index, page);
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      for (;;) {
        const index = this.#wanted.find((candidate) => !this.#pages.has(candidate));
        if (index === undefined || this.#problem) return;
        this.#pages.set(index, await this.#read(index));
        const [oldest] = this.#pages.keys();
        if (this.#pages.size > mostKeptPages && oldest !== undefined) this.#pages.delete(oldest);
        this.#arrivals++;
        this.#tell();
      }
    } catch (error) {
      this.#problem = toProblem(error);
      this.#tell();
    } finally {
      this.#isLoading = false;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A page may lie in several areas, each with addresses of its own. */
  async #read(index: number): Promise<BytePage> {
    const from = index * mostPageBytes;
    const size = Math.min(mostPageBytes, this.#map.sizeBytes - from);
    const page = { old: new Int16Array(size).fill(hole), new: new Int16Array(size).fill(hole) };
    for (const { offset, address, sizeBytes } of this.#map.stretches(from, size)) {
      const found = await this.#fetch(address, sizeBytes);
      put(page.old, offset - from, found.old);
      put(page.new, offset - from, found.new);
    }
    return page;
  }
}

function put(target: Int16Array, at: number, { bytes, holes }: PaneBytes): void {
  target.set(bytes, at);
  for (const { start, sizeBytes } of holes) target.fill(hole, at + start, at + start + sizeBytes);
}
