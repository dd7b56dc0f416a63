import { z } from 'zod';

const mostRepeats = 6;

/** How the versions of a component are written and which of two is newer. */
export const versionSchemeSchema = z.union(
  [
    z.enum(['semver', 'dotted']),
    z.object({
      /** Regular expression of the whole version; its groups decide the order, the first one most. */
      pattern: z
        .string()
        .refine((pattern) => hasGroup(pattern) && isBounded(pattern), { abort: true }),
    }),
  ],
  {
    error:
      'semver, dotted, or a pattern: a regular expression with a group in ( ) for each number, at most six of + and *, and none of them behind a group',
  },
);
export type VersionScheme = z.infer<typeof versionSchemeSchema>;

/** Whether matching ends soon on any version: no repeated groups, and few repeats that could share the text. */
function isBounded(pattern: string): boolean {
  const bare = pattern.replace(/\\./gs, 'x').replace(/\[[^\]]*\]/g, 'x');
  return !/\)[+*{]/.test(bare) && (bare.match(/[+*{]/g) ?? []).length <= mostRepeats;
}

function hasGroup(pattern: string): boolean {
  try {
    return (new RegExp(`(?:${pattern})|`).exec('')?.length ?? 1) > 1;
  } catch {
    return false;
  }
}
