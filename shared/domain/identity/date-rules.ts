import type { ExaminedFile } from './examined-file.ts';

/** Clocks and time zones of build machines may be off by so much. */
const toleratedMs = 26 * 60 * 60 * 1000;

/** Tells a build that claims to be of the future; `now` is ISO 8601. */
export function checkBuildDate(
  { identity, report }: Pick<ExaminedFile, 'identity' | 'report'>,
  now: string,
): void {
  const { builtAt } = identity ?? {};
  if (builtAt === undefined || Date.parse(builtAt) - Date.parse(now) <= toleratedMs) return;
  report('identity.build-date-future', `the image says ${builtAt}`, {
    expected: `not after ${now}`,
    found: builtAt,
  });
}

/** Tells certificates that have expired or will before the last day of the support period. */
export function checkCertificates(
  { certificates, report }: Pick<ExaminedFile, 'certificates' | 'report'>,
  supportEnds: string,
  now: string,
): void {
  const byEnd = certificates.toSorted((one, other) => one.notAfter.localeCompare(other.notAfter));
  for (const { subject, notAfter, offset, member } of byEnd) {
    // The support period includes its last day.
    if (notAfter.slice(0, 10) >= supportEnds && notAfter >= now) continue;
    const where = member === undefined ? '' : `"${member}": `;
    const hasExpired = notAfter < now;
    report(
      hasExpired ? 'identity.certificate-expired' : 'identity.certificate-expires',
      `${where}${subject} ${hasExpired ? 'expired' : 'expires'} on ${notAfter.slice(0, 10)}`,
      {
        offset,
        ...(member === undefined ? {} : { member }),
        expected: `valid until ${supportEnds}`,
        found: notAfter,
      },
    );
  }
}
