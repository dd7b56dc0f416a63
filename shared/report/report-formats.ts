/** Forms in which a report of the bundle room is written. */
export const reportFormats = ['html', 'sarif', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** The form that the end of a file name asks for; null when it asks for none. */
export function reportFormatOf(fileName: string): ReportFormat | null {
  const lower = fileName.toLowerCase();
  if (lower.endsWith('.sarif') || lower.endsWith('.sarif.json')) return 'sarif';
  if (lower.endsWith('.html') || lower.endsWith('.htm')) return 'html';
  return lower.endsWith('.json') ? 'json' : null;
}
