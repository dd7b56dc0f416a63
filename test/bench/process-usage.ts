import { readFileSync } from 'node:fs';

const clockTicksPerSec = 100;

/** What a process cost so far; null where there is no /proc. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuMs: number | null;
  readonly peakMb: number | null;
}

export function usage(pid: number): Usage {
  if (process.platform !== 'linux') return { cpuMs: null, peakMb: null };
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields 14 and 15 (proc(5)), counted from behind the name, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / clockTicksPerSec,
    peakMb: (Number(peak) * 1024) / 1_000_000,
  };
}

/** CPU milliseconds between two looks at a process. */
export function cpuBetween(before: Usage, after: Usage): number | null {
  return before.cpuMs === null || after.cpuMs === null ? null : after.cpuMs - before.cpuMs;
}

export const seconds = (ms: number): string => (ms / 1000).toFixed(1);
export const orDash = (value: number | null, digits: number): string =>
  value === null ? '-' : value.toFixed(digits);
/** Whether a measured value keeps within its goal, in words for a table. */
export const met = (value: number | null, most: number): string =>
  value === null ? 'not measured' : value <= most ? 'met' : 'missed';
