import type { Finding } from '../domain/finding.ts';
import { problem } from '../domain/problem.ts';
import { type BundleRuleId, bundleRules } from '../messages/bundle-rules.ts';

export type Evidence = Finding['evidence'];

/** How a reader tells what it saw; the receiver decides whether to collect or to stop. */
export type Report = (rule: BundleRuleId, detail: string, evidence?: Evidence) => void;

/** A report that stops at the first blocking rule, for callers that need the data or nothing. */
export function throwingReport(fileName: string): Report {
  return (rule, detail) => {
    const { verdict, title, fix } = bundleRules[rule];
    if (verdict === 'block') throw problem(rule, title, `${fileName}: ${detail}`, fix, 'gate');
  };
}

/** Two-digit upper-case hexadecimal of a byte. */
export function hexByte(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}

/** An address as `0x` and at least eight digits. */
export function hexAddress(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(8, '0')}`;
}
