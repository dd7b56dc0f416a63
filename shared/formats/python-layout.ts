import type { Report } from './report.ts';

const tabWidth = 8;
const closers: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const mostIndents = 100;
/** As many as CPython takes. */
const mostBrackets = 200;

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Widths of an indentation with tabs of eight and of one column: both must agree which is deeper. */
interface Indent {
  readonly wide: number;
  readonly narrow: number;
}

/**
 * Checks what a Python grammar does not see: indentation, brackets and strings that are not closed,
 * line ends and a byte order mark. Returns whether a parser can make sense of the rest.
 * Source: The Python Language Reference, 2.1 Line structure.
 */
export function checkPythonLayout(text: string, report: Report): boolean {
  if (text.startsWith('\uFEFF')) report('script.bom', 'line 1, column 1', { offset: 0 });
  checkLineEnds(text, report);
  return new LayoutScanner(text.replace(/^\uFEFF/, ''), report).scan();
}

function checkLineEnds(text: string, report: Report): void {
  const counts = { '\r\n': 0, '\n': 0, '\r': 0 };
  for (const [end] of text.matchAll(/\r\n|\n|\r/g)) counts[end as keyof typeof counts] += 1;
  const used = [
    [counts['\n'], 'LF'],
    [counts['\r\n'], 'CRLF'],
    [counts['\r'], 'CR'],
  ].filter(([count]) => count !== 0);
  if (used.length < 2 && counts['\r'] === 0) return;
  report('script.line-ends', used.map(([count, name]) => `${count} × ${name}`).join(', '));
}

class LayoutScanner {
  readonly #text: string;
  readonly #report: Report;
  readonly #indents: Indent[] = [{ wide: 0, narrow: 0 }];
  readonly #brackets: (Place & { readonly opener: string })[] = [];
  #at = 0;
  #line = 1;
  #lineStart = 0;
  /** Line of the colon that the next line must be indented for. */
  #blockLine: number | null = null;
  #usesTabs = false;
  #usesSpaces = false;
  #statements = 0;

  constructor(text: string, report: Report) {
    this.#text = text;
    this.#report = report;
  }

  scan(): boolean {
    while (this.#at < this.#text.length) {
      if (!this.#statement()) return false;
    }
    if (this.#blockLine !== null) return this.#missingBlock();
    const open = this.#brackets.at(-1);
    if (open !== undefined) {
      this.#tell('script.syntax', open, `"${open.opener}" is never closed`);
      return false;
    }
    if (this.#usesTabs && this.#usesSpaces)
      this.#report('script.mixed-indent', 'some lines are indented with tabs, others with spaces');
    if (this.#statements === 0)
      this.#report('script.no-code', 'nothing but comments and empty lines');
    return true;
  }

  /** Reads one logical line; false after a blocking report. */
  #statement(): boolean {
    const indent = this.#indent();
    if (/[\r\n#]/.test(this.#text[this.#at] ?? '\n')) {
      this.#skipComment();
      this.#newLine();
      return true;
    }
    this.#statements += 1;
    return this.#checkIndent(indent) && this.#tokens();
  }

  #indent(): Indent {
    let wide = 0;
    let narrow = 0;
    for (; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === ' ') {
        wide += 1;
        narrow += 1;
      } else if (char === '\t') {
        wide += tabWidth - (wide % tabWidth);
        narrow += 1;
      } else if (char === '\f') {
        wide = 0;
        narrow = 0;
      } else return { wide, narrow };
    }
  }

  #checkIndent(indent: Indent): boolean {
    const { wide, narrow } = indent;
    const used = this.#text.slice(this.#lineStart, this.#at);
    if (used.includes('\t')) this.#usesTabs = true;
    else if (wide > 0) this.#usesSpaces = true;
    const top = this.#indents.at(-1) ?? indent;
    const isDeeper = wide > top.wide;
    if (isDeeper !== narrow > top.narrow || (wide === top.wide && narrow !== top.narrow))
      return this.#wrongIndent('tabs and spaces are mixed so that its depth is not clear');
    if (this.#blockLine !== null && !isDeeper) return this.#missingBlock();
    if (this.#blockLine === null && isDeeper)
      return this.#wrongIndent('it is indented without reason');
    this.#blockLine = null;
    if (isDeeper) {
      if (this.#indents.length > mostIndents)
        return this.#wrongIndent(`over ${mostIndents} levels of indentation`);
      this.#indents.push(indent);
      return true;
    }
    while ((this.#indents.at(-1)?.wide ?? 0) > wide) this.#indents.pop();
    const match = this.#indents.at(-1);
    if (match?.wide !== wide)
      return this.#wrongIndent('it goes back to a depth that no line above has');
    if (match.narrow !== narrow)
      return this.#wrongIndent('tabs and spaces are mixed so that its depth is not clear');
    return true;
  }

  /** Reads up to the end of the logical line. */
  #tokens(): boolean {
    let last = '';
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? '';
      if (char === '\n' || char === '\r') {
        this.#newLine();
        if (this.#brackets.length > 0) continue;
        break;
      }
      if (char === '#') this.#skipComment();
      else if (char === '\\' && /^\\(\r\n|\n|\r)/.test(this.#text.slice(this.#at, this.#at + 3))) {
        this.#at += 1;
        this.#newLine();
      } else if (char === '"' || char === "'") {
        if (!this.#string(char)) return false;
        last = char;
      } else {
        if (!this.#bracket(char)) return false;
        if (char !== ' ' && char !== '\t' && char !== '\f') last = char;
        this.#at += 1;
      }
    }
    if (last === ':' && this.#brackets.length === 0) this.#blockLine = this.#line - 1;
    return true;
  }

  #bracket(char: string): boolean {
    if (char === '(' || char === '[' || char === '{') {
      this.#brackets.push({ ...this.#place(), opener: char });
      if (this.#brackets.length <= mostBrackets) return true;
      this.#tell('script.syntax', this.#place(), `over ${mostBrackets} open brackets`);
      return false;
    }
    const opener = closers[char];
    if (opener === undefined) return true;
    const open = this.#brackets.pop();
    if (open?.opener === opener) return true;
    const why =
      open === undefined
        ? 'closes nothing'
        : `does not close "${open.opener}" of line ${open.line}`;
    this.#tell('script.syntax', this.#place(), `"${char}" ${why}`);
    return false;
  }

  #string(quote: string): boolean {
    const start = this.#place();
    const triple = quote.repeat(3);
    const end = this.#text.startsWith(triple, this.#at) ? triple : quote;
    this.#at += end.length;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at];
      if (char === '\n' || char === '\r') {
        if (end.length === 1) break;
        this.#newLine();
      } else if (char === '\\') {
        this.#at += 1;
        if (/[\r\n]/.test(this.#text[this.#at] ?? '')) this.#newLine();
        else this.#at += 1;
      } else if (this.#text.startsWith(end, this.#at)) {
        this.#at += end.length;
        return true;
      } else this.#at += 1;
    }
    this.#tell('script.syntax', start, 'the string that begins here is never closed');
    return false;
  }

  #skipComment(): void {
    while (this.#at < this.#text.length && !/[\r\n]/.test(this.#text[this.#at] ?? ''))
      this.#at += 1;
  }

  /** Passes over a line end. */
  #newLine(): void {
    this.#at += this.#text.startsWith('\r\n', this.#at) ? 2 : 1;
    this.#line += 1;
    this.#lineStart = this.#at;
  }

  #place(): Place {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #wrongIndent(why: string): false {
    this.#tell('script.indent', this.#place(), why);
    return false;
  }

  #missingBlock(): false {
    const line = this.#blockLine ?? this.#line;
    this.#report('script.indent', `line ${line}: the colon needs an indented block after it`);
    return false;
  }

  #tell(rule: 'script.syntax' | 'script.indent', { line, column }: Place, why: string): void {
    this.#report(rule, `line ${line}, column ${column}: ${why}`);
  }
}
