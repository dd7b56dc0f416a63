import { setTimeout as sleep } from 'node:timers/promises';
import type { BootResult } from '../../../shared/domain/bench.ts';
import type { Recorder } from './recorder.ts';

const bootWaitMs = 5000;
/** How long after its version a board must not start again; a loop is told only after that. */
const steadyMs = 700;
const loopStarts = 3;
const pollMs = 20;

const versionPattern = /version:?\s+v?(\d[\w.+-]*)/gi;
/** What boards print each time they start, and only then. */
const startPattern = /^.*(?:version:?\s+v?\d|\brst:0x|\bbooting\b).*$/gim;

/** What the boot log says: the version last printed, and how often the board has started. */
function readBootLog(text: string): { version: string | null; starts: number } {
  // A line is complete only with its end, so that 1.1.0 is not taken for 1.1.
  const lines = text.replace(/[^\n]*$/, '');
  const counts = new Map<string, number>();
  for (const [line] of lines.matchAll(startPattern))
    counts.set(line.trim(), (counts.get(line.trim()) ?? 0) + 1);
  return {
    version: [...lines.matchAll(versionPattern)].at(-1)?.[1] ?? null,
    starts: Math.max(0, ...counts.values()),
  };
}

/** What the board is asked and when: all that watching needs. */
interface BootWatch {
  readonly recorder: Recorder;
  readonly expectVersion: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Watches the boot log since the start of the image: the version must come within five seconds and the board must
 * then stay up; one that starts for the third time boots in a loop.
 */
export async function watchBoot(watch: BootWatch): Promise<BootResult> {
  const { recorder, expectVersion, signal } = watch;
  const deadlineMs = performance.now() + bootWaitMs;
  let steadyAtMs = Number.POSITIVE_INFINITY;
  let seen = 0;
  for (;;) {
    const { version, starts } = readBootLog(recorder.bootLog);
    const nowMs = performance.now();
    if (starts >= loopStarts) return { version, matched: false, outcome: 'boot-loop' };
    if (starts !== seen) {
      seen = starts;
      // A second start is one too many to call the board steady: whether it is a loop shows in time.
      steadyAtMs = starts > 1 ? deadlineMs : nowMs + steadyMs;
    }
    if (nowMs >= Math.min(deadlineMs, version === null ? deadlineMs : steadyAtMs))
      return bootResult(version, expectVersion);
    await sleep(pollMs, undefined, { signal });
  }
}

/** Judges the version that a started board told. */
export function bootResult(version: string | null, expectVersion: string | undefined): BootResult {
  if (version === null) return { version, matched: false, outcome: 'did-not-boot' };
  // A build number that nobody asked for does not make it another version.
  const matched = version === expectVersion || version.replace(/\+\d+$/, '') === expectVersion;
  const isOther = expectVersion !== undefined && !matched;
  return { version, matched, outcome: isOther ? 'other-version' : 'booted' };
}
