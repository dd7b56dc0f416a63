import type { Evidence } from '../../../shared/formats/report.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import type { Reading } from './reading.ts';

/** Ends content that turned out to be damaged, through all that reads it, up to the archive that it comes from. */
export class ContentFault extends Error {
  readonly #origin: Reading;
  readonly #rule: BundleRuleId;
  readonly #evidence: Evidence;

  constructor(origin: Reading, rule: BundleRuleId, detail: string, evidence: Evidence) {
    super(detail);
    this.#origin = origin;
    this.#rule = rule;
    this.#evidence = evidence;
  }

  /** Tells a fault of content that comes from this archive; anything else is thrown on. */
  static tell(error: unknown, origin: Reading): void {
    if (!(error instanceof ContentFault) || error.#origin !== origin) throw error;
    origin.findings.add(error.#rule, error.message, error.#evidence);
  }
}
