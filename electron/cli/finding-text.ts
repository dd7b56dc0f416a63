import type { Finding } from '../../shared/domain/finding.ts';

const indent = ' '.repeat(18);

/** A finding as lines for people: what it is, what policy and waivers made of it, what to do. */
export function findingLines(finding: Finding): string[] {
  const { verdict, title, rule, detail, fix, policy, waived, voidWaiver } = finding;
  const lines = [`  ${verdict.toUpperCase().padEnd(15)} ${title} [${rule}]`, `${indent}${detail}`];
  if (policy)
    lines.push(`${indent}Policy: ${policy.own} by itself, "${policy.pattern}: ${policy.set}"`);
  if (waived) lines.push(`${indent}Waived by ${waived.name}, ${waived.at}: ${waived.reason}`);
  else if (verdict !== 'pass' && fix) lines.push(`${indent}Fix: ${fix}`);
  if (voidWaiver)
    lines.push(
      `${indent}A waiver for other bytes exists and is void here: by ${voidWaiver.name}, ` +
        `${voidWaiver.at}, for SHA-256 ${voidWaiver.sha256}`,
    );
  return lines;
}
