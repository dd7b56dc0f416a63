import { compareVersions } from './version-scheme.ts';
import type { VersionScheme } from './version-scheme-schema.ts';

/** Alternatives joined by `||`, each a list of comparisons that must all hold. */
const comparison = /^(>=|<=|>|<|=)?([A-Za-z0-9_.-]{1,64})$/;

/** Whether the text is a range: comparisons with `>=`, `<=`, `>`, `<` or `=`, joined by spaces (and) and `||` (or), or `*`. */
export function isRange(text: string): boolean {
  return alternatives(text).every(
    (parts) => parts.length > 0 && parts.every((part) => part === '*' || comparison.test(part)),
  );
}

/** The versions that a range names. */
export function boundsOf(range: string): readonly string[] {
  return alternatives(range)
    .flat()
    .flatMap((part) => (part === '*' ? [] : (comparison.exec(part)?.[2] ?? [])));
}

/** Whether a version lies in a range; null when the scheme cannot order the two. */
export function isInRange(
  scheme: VersionScheme | undefined,
  version: string,
  range: string,
): boolean | null {
  const results = alternatives(range).map((parts) => holdAll(scheme, version, parts));
  return results.includes(true) ? true : results.includes(null) ? null : false;
}

function alternatives(range: string): string[][] {
  return range.split('||').map((part) => part.trim().split(/\s+/).filter(Boolean));
}

function holdAll(
  scheme: VersionScheme | undefined,
  version: string,
  parts: readonly string[],
): boolean | null {
  const results = parts.map((part) => holds(scheme, version, part));
  return results.includes(false) ? false : results.includes(null) ? null : true;
}

function holds(scheme: VersionScheme | undefined, version: string, part: string): boolean | null {
  if (part === '*') return true;
  const [, sign = '=', bound = ''] = comparison.exec(part) ?? [];
  const order = compareVersions(scheme, version, bound);
  if (order === null) return null;
  if (sign === '>=') return order >= 0;
  if (sign === '<=') return order <= 0;
  if (sign === '>') return order > 0;
  return sign === '<' ? order < 0 : order === 0;
}
