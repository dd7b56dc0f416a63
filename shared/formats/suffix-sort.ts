/**
 * Sorts the suffixes of texts in linear time whatever the content, and keeps its memory (about 12 bytes per
 * symbol) for the next text. Source: Nong, Zhang and Chan, "Two Efficient Algorithms for Linear Time Suffix
 * Array Construction" (SA-IS), 2011.
 *
 * Every index below is proven by construction: positions stay below the size, symbols below `symbols`.
 */
export class SuffixSorter {
  #order = new Int32Array(0);
  #isSmall = new Uint8Array(0);
  #marks = new Int32Array(0);
  #sorted = new Int32Array(0);
  #names = new Int32Array(0);
  #inner: SuffixSorter | null = null;

  /** Start positions of all suffixes in ascending order, valid until the next call; `symbols` is above the largest value. */
  sort(text: Int32Array, symbols: number): Int32Array {
    const size = text.length;
    this.#reserve(size);
    const order = this.#order.subarray(0, size);
    if (size < 2) return order.fill(0);
    const isSmall = this.#isSmall.subarray(0, size);
    classify(text, isSmall);
    const starts = new Int32Array(symbols + 1);
    countSymbols(text, starts);
    sumUp(starts);
    const cursors = new Int32Array(symbols);
    const induce = (marks: Int32Array): void => {
      order.fill(-1);
      cursors.set(starts.subarray(1));
      placeMarks(text, marks, cursors, order);
      cursors.set(starts.subarray(0, symbols));
      order[cursors[text[size - 1]!]!++] = size - 1;
      induceLarge(text, isSmall, cursors, order);
      cursors.set(starts.subarray(1));
      induceSmall(text, isSmall, cursors, order);
    };

    const count = listMarks(isSmall, this.#marks);
    const marks = this.#marks.subarray(0, count);
    induce(marks);
    if (count > 1) {
      const sorted = this.#sorted.subarray(0, count);
      sortedMarks(isSmall, order, sorted);
      const names = this.#names.subarray(0, count);
      // The order is made anew afterwards, so its memory may serve until then.
      const used = nameSubstrings(text, marks, sorted, names, order);
      if (used < count) {
        this.#inner ??= new SuffixSorter();
        pick(marks, this.#inner.sort(names, used), sorted);
      }
      induce(sorted);
    }
    return order;
  }

  #reserve(size: number): void {
    if (size <= this.#order.length) return;
    this.#order = new Int32Array(size);
    this.#isSmall = new Uint8Array(size);
    // No two marks are neighbours.
    const mostMarks = (size >> 1) + 1;
    this.#marks = new Int32Array(mostMarks);
    this.#sorted = new Int32Array(mostMarks);
    this.#names = new Int32Array(mostMarks);
  }
}

/** Marks each suffix that is smaller than the one after it ("S type"). */
function classify(text: Int32Array, isSmall: Uint8Array): void {
  let next = text[text.length - 1]!;
  let small = 0;
  isSmall[text.length - 1] = 0;
  for (let at = text.length - 2; at >= 0; at--) {
    const symbol = text[at]!;
    if (symbol !== next) small = symbol < next ? 1 : 0;
    isSmall[at] = small;
    next = symbol;
  }
}

function countSymbols(text: Int32Array, counts: Int32Array): void {
  for (let at = 0; at < text.length; at++) counts[text[at]! + 1]!++;
}

function sumUp(counts: Int32Array): void {
  let sum = 0;
  for (let at = 0; at < counts.length; at++) counts[at] = sum += counts[at]!;
}

/** Lists the leftmost small positions of each run ("LMS") in text order. */
function listMarks(isSmall: Uint8Array, marks: Int32Array): number {
  let count = 0;
  for (let at = 1; at < isSmall.length; at++)
    if (isSmall[at]! > isSmall[at - 1]!) marks[count++] = at;
  return count;
}

function placeMarks(
  text: Int32Array,
  marks: Int32Array,
  cursors: Int32Array,
  order: Int32Array,
): void {
  for (let index = marks.length - 1; index >= 0; index--) {
    const mark = marks[index]!;
    order[--cursors[text[mark]!]!] = mark;
  }
}

function induceLarge(
  text: Int32Array,
  isSmall: Uint8Array,
  cursors: Int32Array,
  order: Int32Array,
): void {
  for (let rank = 0; rank < order.length; rank++) {
    const at = order[rank]! - 1;
    if (at >= 0 && isSmall[at] === 0) order[cursors[text[at]!]!++] = at;
  }
}

function induceSmall(
  text: Int32Array,
  isSmall: Uint8Array,
  cursors: Int32Array,
  order: Int32Array,
): void {
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const at = order[rank]! - 1;
    if (at >= 0 && isSmall[at] === 1) order[--cursors[text[at]!]!] = at;
  }
}

function sortedMarks(isSmall: Uint8Array, order: Int32Array, sorted: Int32Array): void {
  let found = 0;
  for (let rank = 0; rank < order.length; rank++) {
    const at = order[rank]!;
    if (at > 0 && isSmall[at]! > isSmall[at - 1]!) sorted[found++] = at;
  }
}

/** Numbers the substrings from mark to mark by their order; equal ones get equal numbers. Returns how many numbers. */
function nameSubstrings(
  text: Int32Array,
  marks: Int32Array,
  sorted: Int32Array,
  names: Int32Array,
  indexAt: Int32Array,
): number {
  for (let index = 0; index < marks.length; index++) indexAt[marks[index]!] = index;
  let name = -1;
  let previous = -1;
  for (let rank = 0; rank < sorted.length; rank++) {
    const index = indexAt[sorted[rank]!]!;
    if (previous < 0 || !areEqual(text, marks, previous, index)) name++;
    names[index] = name;
    previous = index;
  }
  return name + 1;
}

/** The end of the text is smaller than any symbol, so the last substring equals no other. */
function areEqual(text: Int32Array, marks: Int32Array, left: number, right: number): boolean {
  if (left === marks.length - 1 || right === marks.length - 1) return false;
  const [a, b] = [marks[left]!, marks[right]!];
  const size = marks[left + 1]! - a;
  if (marks[right + 1]! - b !== size) return false;
  for (let at = 0; at <= size; at++) if (text[a + at] !== text[b + at]) return false;
  return true;
}

function pick(values: Int32Array, indices: Int32Array, result: Int32Array): void {
  for (let at = 0; at < indices.length; at++) result[at] = values[indices[at]!]!;
}
