import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a whole process cost. */
export interface Cost {
  readonly elapsedMs: number;
  /** User and system time of all its threads. */
  readonly cpuMs: number;
  readonly peakRssBytes: number;
  readonly stdout: string;
}

/** Runs a program to its end through GNU time; it must end with 0. */
export function runMeasured(command: string, args: readonly string[]): Cost {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-time-'));
  const report = join(folder, 'time');
  try {
    const startedMs = performance.now();
    const { status, stdout, stderr, error } = spawnSync(
      'time',
      ['-q', '-f', '%U %S %M', '-o', report, command, ...args],
      { encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    const elapsedMs = performance.now() - startedMs;
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      throw new Error('GNU time is missing: apt-get install time');
    if (error) throw error;
    if (status !== 0)
      throw new Error(
        `${command} ended with ${status}: ${stdout.slice(-2000)} ${stderr.slice(-500)}`,
      );
    const [user = 0, system = 0, peakKb = 0] = readFileSync(report, 'utf8').split(' ').map(Number);
    return { elapsedMs, cpuMs: (user + system) * 1000, peakRssBytes: peakKb * 1024, stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The run that other work on the machine disturbed least. */
export function quickest(costs: readonly Cost[]): Cost {
  return costs.reduce((best, cost) => (cost.elapsedMs < best.elapsedMs ? cost : best));
}

/** Version of an installed Debian package. */
export function debianVersion(name: string): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f=${Version}', name], { encoding: 'utf8' });
  return stdout || 'of unknown version';
}

export const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(0);
