import type { ReportProtocol, VersionReport } from '../../../shared/domain/plan.ts';

/** Components that are remembered per device. */
const maxComponents = 100;
/** How long a report that repeats the last one changes nothing. */
const reportRepeatMs = 3_600_000;

/** What is stored of the versions of a device, as JSON. */
export interface VersionsRow {
  readonly versions: string;
  readonly reports: string;
}

/** Whether a report tells more than the last ones did. */
export function isNews(
  known: Readonly<Record<string, VersionReport>>,
  reported: Readonly<Record<string, string>>,
  protocol: ReportProtocol,
  now: Date,
): boolean {
  return Object.entries(reported).some(([id, version]) => {
    const last = Object.hasOwn(known, id) ? known[id] : undefined;
    if (last?.version !== version || last.protocol !== protocol) return true;
    return Math.abs(now.getTime() - Date.parse(last.at)) > reportRepeatMs;
  });
}

/** What each component of a device runs as far as is known; nothing of a device that is not there. */
export const versionsIn = (row: VersionsRow | undefined): Record<string, string> =>
  row ? (JSON.parse(row.versions) as Record<string, string>) : {};

/** What a device itself reported, by component. */
export const reportsIn = (row: VersionsRow | undefined): Record<string, VersionReport> =>
  row ? (JSON.parse(row.reports) as Record<string, VersionReport>) : {};

/** With what is new; a device that keeps inventing components must not fill the database. */
export function within<T>(
  known: Readonly<Record<string, T>>,
  news: Readonly<Record<string, T>>,
): Readonly<Record<string, T>> {
  const all = { ...known, ...news };
  return Object.keys(all).length <= maxComponents ? all : news;
}
