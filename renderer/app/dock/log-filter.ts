import type { LogEntry } from '../../../shared/contract/contract.ts';

/** Least level that the log shows. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What the log shows: entries of at least a level, of a room or of all, that hold a text. */
export interface LogFilter {
  readonly level: LogLevel;
  /** Null for every room. */
  readonly room: string | null;
  readonly text: string;
}

/** The entries that pass the filter; upper and lower case are the same. */
export function filterLog(log: readonly LogEntry[], filter: LogFilter): readonly LogEntry[] {
  const least = logLevels.indexOf(filter.level);
  const needle = filter.text.trim().toLowerCase();
  return log.filter(
    (entry) =>
      logLevels.indexOf(entry.level) >= least &&
      (filter.room === null || entry.room === filter.room) &&
      (needle === '' || `${entry.room} ${logMessage(entry)}`.toLowerCase().includes(needle)),
  );
}

/** Message and data of an entry in one line. */
export function logMessage(entry: LogEntry): string {
  return entry.data ? `${entry.message} ${JSON.stringify(entry.data)}` : entry.message;
}

/** Entries as plain text, one a line, for the clipboard. */
export function logText(log: readonly LogEntry[]): string {
  return log
    .map((entry) => `${entry.at} ${entry.level.padEnd(5)} ${entry.room} ${logMessage(entry)}`)
    .join('\n');
}
