import { RE2JS, RE2JSException } from 're2js';
import type { FindText } from '../../../shared/formats/described-format.ts';

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

/** Why a pattern cannot be used: its syntax, or not exactly one group that captures; null when it can. */
export function patternFault(pattern: string): string | null {
  try {
    const groups = RE2JS.compile(pattern).groupCount();
    return groups === 1 ? null : `it has ${groups} capturing groups; it needs exactly one`;
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
