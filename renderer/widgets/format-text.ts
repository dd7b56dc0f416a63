import type { Job } from '../../shared/domain/job.ts';
import { byteText } from '../../shared/domain/progress-text.ts';

const dayMs = 86_400_000;
const numberFormat = new Intl.NumberFormat('en');
const clockFormat = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const two = (value: number): string => String(value).padStart(2, '0');

/** A count with thousands separators, for example `10,000`. */
export const countText = (count: number): string => numberFormat.format(count);

/** A noun with its count, for example `1 device` and `2 devices`. */
export const pluralText = (count: number, noun: string): string =>
  `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;

/** A share of 0..1 as percent with at most one decimal, for example `12.5 %`. */
export function percentText(share: number): string {
  const percent = Math.round(share * 1000) / 10;
  return `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`;
}

/** The exact number of bytes, for tooltips. */
export const exactBytesText = (bytes: number): string => `${countText(bytes)} bytes`;

/** A span of time in the two units that matter, for example `850 ms`, `12.3 s`, `4 min 05 s`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const totalSeconds = Math.round(ms / 1000);
  const minutes = Math.floor(totalSeconds / 60);
  if (minutes < 60) return `${minutes} min ${two(totalSeconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** Local date and time to the minute, for example `2026-11-23 14:05`. */
export function timeText(iso: string): string {
  const at = new Date(iso);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** A path as seen from a folder that holds it, with `/` between its parts; any other path as it is. */
export function pathWithin(path: string, folder: string): string {
  const isWithin = path.startsWith(folder) && /^[\\/]/.test(path.slice(folder.length));
  return isWithin ? path.slice(folder.length + 1).replaceAll('\\', '/') : path;
}

/** Local time of day to the second, for example `14:05:09`. */
export const clockText = (iso: string): string => clockFormat.format(new Date(iso));

/** How long ago something was, for example `just now`, `5 min ago`, `3 days ago`. */
export function agoText(iso: string, nowMs: number): string {
  const ms = nowMs - Date.parse(iso);
  if (ms < 60_000) return 'just now';
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < dayMs) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${pluralText(Math.floor(ms / dayMs), 'day')} ago`;
}

/** Rate of a job in its own unit, for example `1.5 MiB/s`; empty before it is known. */
export function rateText(job: Pick<Job, 'ratePerSec' | 'unit'>): string {
  if (job.ratePerSec <= 0) return '';
  if (job.unit === 'bytes') return `${byteText(job.ratePerSec)}/s`;
  return `${job.ratePerSec.toFixed(1)}/s`;
}

/** Time left of a job, for example `12 s left`; empty while it is unknown. */
export function etaText(job: Pick<Job, 'etaMs'>): string {
  return job.etaMs !== null && job.etaMs > 0 ? `${durationText(job.etaMs)} left` : '';
}

/** An address or offset in hexadecimal with groups of four digits, for example `0x0800_0000`. */
export function hexText(value: number): string {
  const digits = value.toString(16).toUpperCase().padStart(8, '0');
  return `0x${digits.replace(/(?=(?:.{4})+$)/g, '_').replace(/^_/, '')}`;
}
