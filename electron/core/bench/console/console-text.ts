import { RE2JS, RE2JSException } from 're2js';
import type { HighlightRule, Pattern } from '../../../../shared/domain/console.ts';
import type { MarkTone } from '../../../../shared/domain/console-names.ts';
import { problem } from '../../../../shared/domain/problem.ts';

/** Steps of a compiled pattern: searching takes their product with the text at worst. */
const mostSteps = 512;
const mostMarks = 50;
/** Colours and cursor moves of terminals (ECMA-48, control sequences). */
// oxlint-disable-next-line no-control-regex
const controlSequence = /\u001b\[[0-?]*[ -/]*[@-~]/g;
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Words that boards print in trouble; what is part of a longer word is none. */
const standardWords: readonly { readonly pattern: RegExp; readonly tone: MarkTone }[] = [
  {
    pattern:
      /\b(?:errors?|err|fail(?:ed|ure|s)?|fatal|panic|assert(?:ion)?|abort(?:ed)?|hard ?fault|crit(?:ical)?|exception)\b/gi,
    tone: 'bad',
  },
  {
    pattern: /\b(?:warn(?:ing)?s?|wrn|timeout|timed out|retry(?:ing)?|brown-?out)\b/gi,
    tone: 'warn',
  },
];

/** A received or sent line as people read it: no line end, no colours of terminals, control characters as pictures. */
export function lineText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('utf8')
    .replace(/[\r\n]+$/, '');
  if (text.search(control) < 0) return text;
  return text
    .replace(controlSequence, '')
    .replace(/^\r+/, '')
    .replace(control, (letter) => {
      const code = letter.charCodeAt(0);
      return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
    });
}

/**
 * Tells whether a text holds a pattern: text in any case, or a regular expression of RE2, for which no pattern takes
 * more than linear time. @throws ProblemError `bad-pattern`
 */
export function textTest({ text, isRegex }: Pattern): (candidate: string) => boolean {
  if (isRegex) {
    const compiled = compile(text);
    return (candidate) => compiled.test(candidate);
  }
  const wanted = text.toLowerCase();
  return (candidate) => candidate.toLowerCase().includes(wanted);
}

/** A part of a line that stands out: from, to (exclusive), what it means. */
type Mark = [number, number, MarkTone];

/** Finds the parts of a line that stand out: the rules first, then the standard words. @throws ProblemError `bad-pattern` */
export function marker(rules: readonly HighlightRule[]): (text: string) => Mark[] {
  const finders = rules.map((rule) => ({
    compiled: compile(rule.isRegex ? rule.text : `(?i)${RE2JS.quote(rule.text)}`),
    tone: rule.tone,
  }));
  return (text) => {
    const marks: Mark[] = [];
    for (const { compiled, tone } of finders) {
      if (!compiled.test(text)) continue;
      const matcher = compiled.matcher(text);
      while (marks.length < mostMarks && matcher.find())
        if (matcher.end() > matcher.start()) marks.push([matcher.start(), matcher.end(), tone]);
    }
    for (const { pattern, tone } of standardWords)
      for (const match of text.matchAll(pattern)) {
        if (marks.length >= mostMarks) break;
        marks.push([match.index, match.index + match[0].length, tone]);
      }
    return withoutOverlap(marks);
  };
}

/** In the order of the text; of marks that overlap the one of the earlier rule stays. */
function withoutOverlap(marks: readonly Mark[]): Mark[] {
  const kept: Mark[] = [];
  for (const mark of marks)
    if (!kept.some((other) => mark[0] < other[1] && other[0] < mark[1])) kept.push(mark);
  return kept.sort((one, other) => one[0] - other[0]);
}

function compile(pattern: string): RE2JS {
  try {
    const compiled = RE2JS.compile(pattern);
    const steps = compiled.programSize();
    if (steps <= mostSteps) return compiled;
    throw badPattern(`${pattern} is too large: ${steps} steps, at most ${mostSteps}.`);
  } catch (error) {
    if (error instanceof RE2JSException) throw badPattern(error.message);
    throw error;
  }
}

const badPattern = (detail: string) =>
  problem(
    'bad-pattern',
    'The pattern cannot be used',
    detail,
    'Correct the regular expression (RE2: no look-around, no back references), or look for a text.',
    'usage',
  );
