import { hexByte, type Report } from '../../../shared/formats/report.ts';

/** What erased flash and unwritten files are made of comes in pages of this size or more. */
const pageBytes = 4096;
/** Copies are cut and flash is erased at multiples of this. */
const blockBytes = 64 * 1024;
const mixed = -1;
const shownHoles = 5;
/** Sectors and headers are filled up to here without anybody asking for it. */
const usualPaddingBytes = 16 * 1024;

const patterns = new Map([0x00, 0xff].map((value) => [value, Buffer.alloc(pageBytes, value)]));

/** What was found in one piece of content. */
export interface BlankRuns {
  /** 00 or FF when the content is nothing else, or null. */
  readonly onlyValue: number | null;
  /** Tells padding and holes. */
  readonly tell: (report: Report) => void;
}

interface Run {
  readonly value: number;
  /** First byte of the value, which may lie before the first whole page. */
  readonly start: number;
  readonly firstPage: number;
  readonly end: number;
}

/** Finds padding and holes in streamed content; looks at three bytes of a page that is none. */
export class BlankScan {
  #offset = 0;
  #blankBytes = 0;
  /** Value of every byte of the page so far; `undefined` before its first. */
  #page: number | undefined;
  /** Equal bytes at the end of the content so far. */
  #trailing = { value: mixed, count: 0 };
  #run: Run | undefined;
  #longest: Run | undefined;
  #holes: Run[] = [];

  push(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < buffer.length; ) {
      const end = Math.min(buffer.length, at + pageBytes - (this.#offset % pageBytes));
      this.#take(buffer, at, end);
      at = end;
    }
  }

  /** Ends one piece of content: the file, or a member of an archive. */
  endPiece(): BlankRuns {
    const sizeBytes = this.#offset;
    if (sizeBytes % pageBytes > 0) this.#endPage(sizeBytes % pageBytes);
    const tail = this.#run;
    this.#endRun(true);
    const blanks = {
      sizeBytes,
      blankBytes: this.#blankBytes,
      longest: this.#longest,
      tail,
      holes: this.#holes,
    };
    this.#offset = 0;
    this.#blankBytes = 0;
    this.#trailing = { value: mixed, count: 0 };
    this.#longest = undefined;
    this.#holes = [];
    const isBlank = tail?.start === 0 && tail.end === sizeBytes;
    return {
      onlyValue: isBlank ? tail.value : null,
      tell: (report) => tellBlanks(blanks, report),
    };
  }

  #take(buffer: Buffer, from: number, to: number): void {
    const value = buffer[from] ?? 0;
    const sizeBytes = to - from;
    const isBlank =
      value === buffer[to - 1] &&
      value === buffer[(from + to) >>> 1] &&
      patterns.get(value)?.compare(buffer, from, to, 0, sizeBytes) === 0;
    const isSame = this.#page === undefined || this.#page === value;
    this.#page = isBlank && isSame ? value : mixed;
    const run = isBlank ? { value, count: sizeBytes } : trailingRun(buffer, from, to);
    const goesOn = run.count === sizeBytes && run.value === this.#trailing.value;
    this.#trailing = goesOn ? { value, count: this.#trailing.count + sizeBytes } : run;
    this.#offset += sizeBytes;
    if (this.#offset % pageBytes === 0) this.#endPage(pageBytes);
  }

  #endPage(sizeBytes: number): void {
    const value = this.#page ?? mixed;
    this.#page = undefined;
    if (value === mixed) return this.#endRun(false);
    this.#blankBytes += sizeBytes;
    const end = this.#offset;
    if (this.#run?.value === value) this.#run = { ...this.#run, end };
    else {
      this.#endRun(false);
      this.#run = { value, start: end - this.#trailing.count, firstPage: end - sizeBytes, end };
    }
  }

  #endRun(isEnd: boolean): void {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return;
    if (this.#longest === undefined || sizeOf(run) > sizeOf(this.#longest)) this.#longest = run;
    const isHole =
      run.value === 0 && run.firstPage % blockBytes === 0 && run.end % blockBytes === 0;
    if (isHole && !isEnd && this.#holes.length < shownHoles) this.#holes.push(run);
  }
}

/** Blank runs of one piece of content. */
interface Blanks {
  readonly sizeBytes: number;
  readonly blankBytes: number;
  readonly longest: Run | undefined;
  readonly tail: Run | undefined;
  readonly holes: readonly Run[];
}

function tellBlanks({ sizeBytes, blankBytes, longest, tail, holes }: Blanks, report: Report): void {
  for (const hole of holes) {
    const found = `${sizeOf(hole)} bytes of 00`;
    report('content.hole', `${found} at offset ${hole.start}`, { offset: hole.start, found });
  }
  if (longest !== undefined && blankBytes * 2 > sizeBytes) {
    const percent = Math.floor((100 * blankBytes) / sizeBytes);
    report(
      'content.mostly-blank',
      `${percent} % is padding, the longest run ${describe(longest)}`,
      {
        offset: longest.start,
        expected: `at most ${Math.floor(sizeBytes / 2)} bytes`,
        found: `${blankBytes} bytes in pages of 00 or FF`,
      },
    );
  } else if (tail !== undefined && sizeOf(tail) > usualPaddingBytes) {
    const found = `${sizeOf(tail)} bytes of ${hexByte(tail.value)}`;
    report('content.padding', describe(tail), { offset: tail.start, found });
  }
}

const sizeOf = ({ start, end }: Run): number => end - start;

function describe(run: Run): string {
  return `${sizeOf(run)} bytes of ${hexByte(run.value)} from offset ${run.start}`;
}

function trailingRun(buffer: Buffer, from: number, to: number): { value: number; count: number } {
  const value = buffer[to - 1] ?? mixed;
  let at = to - 1;
  while (at > from && buffer[at - 1] === value) at -= 1;
  return { value, count: to - at };
}
