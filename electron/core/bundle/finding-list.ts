import type { Finding } from '../../../shared/domain/finding.ts';
import type { Evidence } from '../../../shared/formats/report.ts';
import { type BundleRuleId, bundleRules } from '../../../shared/messages/bundle-rules.ts';

const shownPerRule = 5;

interface Collected {
  readonly findings: Finding[];
  readonly counts: Map<BundleRuleId, number>;
}

/** Collects findings; after the fifth of a rule only the number of further ones is kept. */
export class FindingList {
  readonly #collected: Collected;
  readonly #member: string | undefined;
  #blocked = false;
  /** Index of the finding that tells that the content is whole. */
  #intact: number | undefined;

  constructor(collected: Collected = { findings: [], counts: new Map() }, member?: string) {
    this.#collected = collected;
    this.#member = member;
  }

  /** A list for what stands in a member: its findings are collected here and carry the path. */
  within(member: string): FindingList {
    return new FindingList(this.#collected, this.#pathOf(member));
  }

  /** Whether a blocking rule was told here, those of members aside. */
  get blocked(): boolean {
    return this.#blocked;
  }

  readonly add = (rule: BundleRuleId, detail: string, evidence: Evidence = {}): void => {
    const { findings, counts } = this.#collected;
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    const { verdict, title, fix, waivable } = bundleRules[rule];
    if (verdict === 'block') this.#blocked = true;
    if (count > shownPerRule) return;
    const path = this.#pathOf(evidence.member);
    findings.push({
      rule,
      verdict,
      title,
      fix,
      waivable,
      detail: this.#member === undefined ? detail : `"${this.#member}": ${detail}`,
      evidence: path === undefined ? evidence : { ...evidence, member: path },
    });
  };

  /** Tells that the content is whole, unless something said that it is not; once for what stands in each other. */
  intact(what: string): void {
    if (this.#blocked) return;
    const { findings } = this.#collected;
    const told = this.#intact === undefined ? undefined : findings[this.#intact];
    if (this.#intact !== undefined && told !== undefined) {
      findings[this.#intact] = { ...told, detail: `${told.detail}; ${what}` };
      return;
    }
    const index = findings.length;
    this.add('container.integrity', what);
    if (findings.length > index) this.#intact = index;
  }

  list(): Finding[] {
    const { findings, counts } = this.#collected;
    return findings.map((finding, index) => {
      const count = counts.get(finding.rule as BundleRuleId) ?? 0;
      const isLast = findings.findLastIndex((other) => other.rule === finding.rule) === index;
      if (count <= shownPerRule || !isLast) return finding;
      return { ...finding, detail: `${finding.detail} (and ${count - shownPerRule} more)` };
    });
  }

  #pathOf(member: string | undefined): string | undefined {
    return this.#member === undefined ? member : memberPath(this.#member, member);
  }
}

/** Path of a member of a member. */
export function memberPath(outer: string, inner: string | undefined): string {
  return inner === undefined ? outer : `${outer}!/${inner}`;
}
