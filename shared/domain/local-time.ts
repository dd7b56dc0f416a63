/** A local time without a zone, to the minute: `2026-03-29T02:30`. */
export const localTimePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/;
/** A time of day to the minute: `02:30`. */
export const dayTimePattern = /^([01]\d|2[0-3]):[0-5]\d$/;

/** Offsets are at most 14 hours, and a change of date line skips a day: enough to be past either. */
const probeMs = 38 * 3_600_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  formats.set(timeZone, format);
  return format;
}

/** Whether this is the name of a time zone of the IANA database, such as `Europe/Berlin` or `UTC`. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The wall clock of a zone at an instant, as if it were UTC, in milliseconds since 1970. */
function wallMs(timeZone: string, atMs: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const offsetMs = (timeZone: string, atMs: number): number =>
  wallMs(timeZone, atMs) - Math.floor(atMs / 1000) * 1000;

/** Whether this is a day and minute of the calendar, such as `2026-02-28T23:59`. */
export function isLocalTime(text: string): boolean {
  const atMs = Date.parse(`${text}Z`);
  // A day that the month does not have would come back as one of the next month.
  return (
    localTimePattern.test(text) &&
    Number.isFinite(atMs) &&
    new Date(atMs).toISOString().slice(0, 16) === text
  );
}

/**
 * The instant of a local time in a zone, in milliseconds since 1970. Where clocks are put forward, a
 * time that is left out means the moment of the change. Where they are put back, a time that
 * comes twice means its first coming for a start and its second one for an end, so that a period
 * is never shorter than it reads.
 */
export function instantOf(local: string, timeZone: string, edge: 'start' | 'end'): number {
  const asUtcMs = Date.parse(`${local}Z`);
  const before = asUtcMs - offsetMs(timeZone, asUtcMs - probeMs);
  const after = asUtcMs - offsetMs(timeZone, asUtcMs + probeMs);
  const fits = [before, after].filter((atMs) => wallMs(timeZone, atMs) === asUtcMs);
  if (fits.length > 0) return edge === 'start' ? Math.min(...fits) : Math.max(...fits);
  // Left out: the first instant whose wall clock is past it.
  let low = Math.min(before, after);
  let high = Math.max(before, after);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (wallMs(timeZone, middle) >= asUtcMs) high = middle;
    else low = middle + 1;
  }
  return high;
}

/** The day and minute that the wall clock of a zone shows at an instant, as {@link localTimePattern}. */
export function localTimeOf(atMs: number, timeZone: string): string {
  return new Date(wallMs(timeZone, atMs)).toISOString().slice(0, 16);
}
