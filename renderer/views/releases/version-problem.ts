import { versionPattern } from '../../../shared/domain/limits.ts';

/** Why a version cannot be a new release of the product, or null; nothing is wrong with an empty field yet. */
export function versionProblem(version: string, taken: readonly string[]): string | null {
  if (version === '') return null;
  if (version.length > 64) return 'At most 64 characters';
  if (!versionPattern.test(version)) return 'Letters, digits, "_", "-" and "." only';
  if (taken.includes(version)) return 'This version exists already';
  return null;
}
