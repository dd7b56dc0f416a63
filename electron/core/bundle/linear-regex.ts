import { RE2JS, RE2JSException } from 're2js';
import type { FindText } from '../../../shared/formats/described-format.ts';

/**
 * Steps of a compiled pattern: searching 64 KiB takes their product at worst, about a second. A
 * pattern that captures a version has some twenty to a hundred and fifty.
 */
const mostSteps = 512;

/**
 * Searches with RE2, whose time is linear in the text for every pattern: a backtracking engine
 * would let one unlucky pattern and file hang the check.
 */
export const findText: FindText = (pattern, text) => {
  const matcher = RE2JS.compile(pattern).matcher(text);
  if (!matcher.find()) return null;
  const captured = matcher.group(1);
  return captured === null ? null : { text: captured, index: matcher.start(1) };
};

/** Why a pattern cannot be used: its syntax, its size, or not exactly one group that captures; null when it can. */
export function patternFault(pattern: string): string | null {
  try {
    const compiled = RE2JS.compile(pattern);
    const [groups, steps] = [compiled.groupCount(), compiled.programSize()];
    if (groups !== 1) return `it has ${groups} capturing groups; it needs exactly one`;
    return steps <= mostSteps ? null : `it is too large: ${steps} steps, at most ${mostSteps}`;
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
