import type { Finding } from '../../../shared/domain/finding.ts';
import type { Evidence } from '../../../shared/formats/report.ts';
import { type BundleRuleId, bundleRules } from '../../../shared/messages/bundle-rules.ts';

const shownPerRule = 5;

/** Collects findings; after the fifth of a rule only the number of further ones is kept. */
export class FindingList {
  readonly #findings: Finding[] = [];
  readonly #counts = new Map<BundleRuleId, number>();
  #blocked = false;

  /** Whether a blocking rule was told. */
  get blocked(): boolean {
    return this.#blocked;
  }

  readonly add = (rule: BundleRuleId, detail: string, evidence: Evidence = {}): void => {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    const { verdict, title, fix, waivable } = bundleRules[rule];
    if (verdict === 'block') this.#blocked = true;
    if (count > shownPerRule) return;
    this.#findings.push({ rule, verdict, title, detail, fix, waivable, evidence });
  };

  /** Tells that the content is whole, unless something said that it is not. */
  intact(what: string): void {
    if (!this.#blocked) this.add('container.integrity', what);
  }

  list(): Finding[] {
    return this.#findings.map((finding, index) => {
      const count = this.#counts.get(finding.rule as BundleRuleId) ?? 0;
      const isLast = this.#findings.findLastIndex((other) => other.rule === finding.rule) === index;
      if (count <= shownPerRule || !isLast) return finding;
      return { ...finding, detail: `${finding.detail} (and ${count - shownPerRule} more)` };
    });
  }
}
