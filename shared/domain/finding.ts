import { z } from 'zod';

/** `could-not-check` is for opaque or encrypted images: never a pass. */
export const verdictSchema = z.enum(['pass', 'warn', 'block', 'could-not-check']);
export type Verdict = z.infer<typeof verdictSchema>;

/** One result of a check, with the evidence a reader needs to verify it by hand. */
export const findingSchema = z.object({
  rule: z.string(),
  verdict: verdictSchema,
  title: z.string(),
  detail: z.string(),
  fix: z.string(),
  waivable: z.boolean(),
  evidence: z.object({
    offset: z.number().int().nonnegative().optional(),
    member: z.string().optional(),
    expected: z.string().optional(),
    found: z.string().optional(),
  }),
});
export type Finding = z.infer<typeof findingSchema>;

export const inspectedFileSchema = z.object({
  name: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string(),
  format: z.string(),
  findings: z.array(findingSchema),
});
export type InspectedFile = z.infer<typeof inspectedFileSchema>;

export const inspectReportSchema = z.object({
  verdict: verdictSchema,
  files: z.array(inspectedFileSchema),
});
export type InspectReport = z.infer<typeof inspectReportSchema>;

const severity: Record<Verdict, number> = { pass: 0, 'could-not-check': 1, warn: 2, block: 3 };

/** The most severe verdict of a list; `pass` when the list is empty. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>(
    (worst, v) => (severity[v] > severity[worst] ? v : worst),
    'pass',
  );
}
