import { z } from 'zod';
import { bundleRules, layerOfRule, ruleLayers } from '../messages/bundle-rules.ts';
import type { BundleRule } from '../messages/rules/rule.ts';
import type { Finding, InspectReport, Verdict } from './finding.ts';
import { reportOf, severityOf } from './verdict.ts';

/** What a policy makes of a rule: `allow` tells the finding but gives it no weight. */
const severityOverrideSchema = z.enum(['block', 'warn', 'allow']);
export type SeverityOverride = z.infer<typeof severityOverrideSchema>;

/** Rule id, `prefix.*` or `layer.*` to severity, as `policy.findings` of a product holds it. */
export const findingPolicySchema = z.record(z.string(), severityOverrideSchema);
export type FindingPolicy = z.infer<typeof findingPolicySchema>;

const rules: Readonly<Record<string, BundleRule>> = bundleRules;
const isLayer = (name: string): boolean => (ruleLayers as readonly string[]).includes(name);
const outcome: Readonly<Record<SeverityOverride, Verdict>> = {
  block: 'block',
  warn: 'warn',
  allow: 'pass',
};

/** Whether the key names the rule: by itself, by its layer, or by the beginning of its id. */
function matches(key: string, rule: string): boolean {
  if (!key.endsWith('.*')) return key === rule;
  const stem = key.slice(0, -2);
  return isLayer(stem) ? layerOfRule(rule) === stem : rule.startsWith(`${stem}.`);
}

/**
 * The closest key of the policy that decides over a rule: the rule itself, then the longest prefix,
 * then its layer; null when none does. A rule that tells what is in order has no severity to set.
 */
function decidingKey(policy: FindingPolicy, rule: string, own: Verdict): string | null {
  if (own === 'pass') return null;
  const keys = [rule];
  for (let end = rule.lastIndexOf('.'); end > 0; end = rule.lastIndexOf('.', end - 1))
    if (!isLayer(rule.slice(0, end))) keys.push(`${rule.slice(0, end)}.*`);
  keys.push(`${layerOfRule(rule)}.*`);
  return keys.find((key) => Object.hasOwn(policy, key)) ?? null;
}

/** What is wrong with a policy: the key, and why it cannot be. */
export function policyFaults(policy: FindingPolicy): { key: string; why: string }[] {
  return Object.entries(policy).flatMap(([key, set]) => {
    const named = Object.keys(rules).filter((rule) => matches(key, rule));
    if (named.length === 0) return [{ key, why: unknownRule(key) }];
    const wanted = outcome[set];
    const decided = named.filter((rule) => decidingKey(policy, rule, ownVerdict(rule)) === key);
    if (named.every((rule) => ownVerdict(rule) === 'pass'))
      return [{ key, why: 'this rule tells what is in order: there is nothing to set' }];
    const lowered = decided.filter((rule) => severityOf(wanted) < severityOf(ownVerdict(rule)));
    const firm = lowered.filter((rule) => !rules[rule]?.waivable);
    if (firm.length > 0) return [{ key, why: tooFirm(firm, set) }];
    const unchecked = lowered.filter((rule) => ownVerdict(rule) === 'could-not-check');
    return unchecked.length > 0 ? [{ key, why: neverChecked(unchecked) }] : [];
  });
}

const ownVerdict = (rule: string): Verdict => rules[rule]?.verdict ?? 'pass';

function unknownRule(key: string): string {
  const stem = key.replace(/\.\*$/, '').split('.')[0] ?? '';
  const near = Object.keys(rules).filter((rule) => rule.startsWith(`${stem}.`));
  const known = near.length > 0 ? near : ruleLayers.map((layer) => `${layer}.*`);
  return `no rule has this id; there ${known.length === 1 ? 'is' : 'are'} ${listed(known)}`;
}

const tooFirm = (firm: readonly string[], set: SeverityOverride): string =>
  `${listed(firm)} cannot be lowered to "${set}": what ${firm.length === 1 ? 'it finds' : 'they find'} ` +
  'is empty, damaged, unsafe or over a limit, and no device can use it. Name single rules that may be lowered.';

const neverChecked = (unchecked: readonly string[]): string =>
  `${listed(unchecked)} cannot be allowed: what could not be checked is never a pass. ` +
  'Acknowledge it with a waiver for the file.';

const shownRules = 8;

function listed(ids: readonly string[]): string {
  const rest = ids.length - shownRules;
  return `${ids.slice(0, shownRules).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/**
 * Gives each finding the verdict that the policy sets, and says so at the finding. It starts from
 * the rule's own verdict each time, so that a report can be judged again by a newer policy.
 */
export function applyPolicy(report: InspectReport, policy: FindingPolicy = {}): InspectReport {
  return reportOf(
    report.files.map((file) => ({
      ...file,
      findings: file.findings.map((finding) => judged(finding, policy)),
    })),
  );
}

function judged({ policy: effect, ...finding }: Finding, policy: FindingPolicy): Finding {
  const own = effect?.own ?? finding.verdict;
  const { verdict, pattern } = judgeRule(policy, finding.rule, own, finding.waivable);
  const set = pattern === null ? undefined : policy[pattern];
  if (pattern === null || set === undefined) return { ...finding, verdict };
  return { ...finding, verdict, policy: { own, set, pattern } };
}

/** What a policy makes of a rule, and by which key; a null key leaves the rule's own verdict. */
export function judgeRule(
  policy: FindingPolicy,
  rule: string,
  own: Verdict,
  waivable: boolean,
): { readonly verdict: Verdict; readonly pattern: string | null } {
  const pattern = decidingKey(policy, rule, own);
  const set = pattern === null ? undefined : policy[pattern];
  if (set === undefined) return { verdict: own, pattern: null };
  const verdict = outcome[set];
  // slipway.yaml is refused when it lowers these; a record of another origin is not obeyed either.
  const isLowered = severityOf(verdict) < severityOf(own);
  if (isLowered && (!waivable || own === 'could-not-check')) return { verdict: own, pattern: null };
  return { verdict, pattern };
}
