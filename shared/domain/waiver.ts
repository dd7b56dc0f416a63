import { z } from 'zod';
import { bundleRules } from '../messages/bundle-rules.ts';
import type { Finding, InspectedFile, InspectReport } from './finding.ts';
import { versionPattern } from './limits.ts';
import { isSamePerson, minReasonLength } from './person.ts';
import { reportOf } from './verdict.ts';

/** Why somebody decides; surrounding spaces do not count. */
export const reasonSchema = z
  .string()
  .trim()
  .min(minReasonLength, `say why, in at least ${minReasonLength} characters`)
  .max(2000);
/** Name of a person, as the record shows it. */
export const personSchema = z.string().trim().min(2, 'at least 2 characters').max(100);

/** What somebody accepts: one rule, for exactly these bytes, in one version of one product. */
export const waiverDraftSchema = z.object({
  productId: z.string().min(1).max(64),
  version: z.string().regex(versionPattern),
  /** SHA-256 of the file, in lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the file in lower-case hex'),
  fileName: z.string().min(1).max(1024),
  rule: z.string().min(1).max(128),
  reason: reasonSchema,
  name: personSchema,
});
export type WaiverDraft = z.infer<typeof waiverDraftSchema>;

/** A waiver as it is recorded; one that was taken back stays in the record with who did it and why. */
export const waiverSchema = waiverDraftSchema.extend({
  id: z.string(),
  at: z.string(),
  removed: z.object({ at: z.string(), name: z.string(), reason: z.string() }).nullable(),
});
export type Waiver = z.infer<typeof waiverSchema>;

/** `void`: the version was recorded with other bytes in that file. */
export const waiverStateSchema = z.enum(['active', 'void', 'removed']);
export type WaiverState = z.infer<typeof waiverStateSchema>;

/** Waivers of a product's version that were in force at a time (ISO 8601), or are now without one. */
export function waiversInForce(
  waivers: readonly Waiver[],
  productId: string,
  version: string,
  at?: string,
): Waiver[] {
  return waivers.filter(
    (waiver) =>
      waiver.productId === productId &&
      waiver.version === version &&
      (at === undefined ? waiver.removed === null : wasInForce(waiver, at)),
  );
}

const wasInForce = ({ at: given, removed }: Waiver, at: string): boolean =>
  given <= at && (removed === null || removed.at > at);

/** Whether the waiver is by another person than the author; nobody is when no author was recorded. */
export function isByAnother(waiver: Pick<Waiver, 'name'>, author: string | undefined): boolean {
  return author !== undefined && !isSamePerson(waiver.name, author);
}

/**
 * Marks the findings that these waivers of the report's own product and version accept, and those
 * that were accepted for other bytes. Earlier marks are taken off first. A waiver by another
 * person than the `author` is preferred to one by the author.
 */
export function applyWaivers(
  report: InspectReport,
  waivers: readonly Waiver[],
  author?: string,
): InspectReport {
  const index = indexed(report, waivers, author);
  return reportOf(
    report.files.map((file) => ({
      ...file,
      findings: file.findings.map((finding) => marked(finding, file, index)),
    })),
  );
}

/** Waivers by what they are looked up with; a record may hold very many of them. */
interface WaiverIndex {
  /** By rule and SHA-256. */
  readonly exact: ReadonlyMap<string, Waiver>;
  /** Those for bytes that are not in the report, by rule and file name, and by rule alone. */
  readonly remnants: ReadonlyMap<string, Waiver>;
}

const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts);

function indexed(
  report: InspectReport,
  waivers: readonly Waiver[],
  author: string | undefined,
): WaiverIndex {
  // A waiver for another file that is still there is no remnant of this one.
  const present = new Set(report.files.map((file) => file.sha256));
  const exact = new Map<string, Waiver>();
  const remnants = new Map<string, Waiver>();
  const preferred = waivers.toSorted(
    (one, other) => Number(isByAnother(other, author)) - Number(isByAnother(one, author)),
  );
  const keep = (map: Map<string, Waiver>, key: string, waiver: Waiver): void => {
    if (!map.has(key)) map.set(key, waiver);
  };
  for (const waiver of preferred) {
    const { rule, sha256, fileName } = waiver;
    keep(exact, keyOf(rule, sha256), waiver);
    if (present.has(sha256)) continue;
    keep(remnants, keyOf(rule, fileName), waiver);
    keep(remnants, keyOf(rule), waiver);
  }
  return { exact, remnants };
}

function marked(
  { waived: _waived, voidWaiver: _void, ...finding }: Finding,
  file: InspectedFile,
  { exact, remnants }: WaiverIndex,
): Finding {
  const { rule, waivable, verdict } = finding;
  if (!waivable || verdict === 'pass') return finding;
  const waiver = exact.get(keyOf(rule, file.sha256));
  if (waiver !== undefined) {
    const { id, reason, name, at } = waiver;
    return { ...finding, waived: { waiverId: id, reason, name, at } };
  }
  const old = remnants.get(keyOf(rule, file.name)) ?? remnants.get(keyOf(rule));
  if (old === undefined) return finding;
  const { id, sha256, name, at } = old;
  return { ...finding, voidWaiver: { waiverId: id, sha256, name, at } };
}

/** Why a rule cannot be waived at all; null when it can. */
export function unwaivableReason(rule: string): string | null {
  if (!Object.hasOwn(bundleRules, rule)) return `there is no rule "${rule}"`;
  const { verdict, waivable } = bundleRules[rule as keyof typeof bundleRules];
  if (verdict === 'pass') return `"${rule}" tells what is in order`;
  return waivable ? null : `what "${rule}" finds makes the file unusable or unsafe`;
}
