import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sizeBytes = 8 * 1024 * 1024;
const pageBytes = 4096;

/** A folder on a disk that can be filled up. */
export interface SmallDisk {
  readonly folder: string;
  /** False when only programs behind the wrapper meet the full disk, and not this process. */
  readonly isMounted: boolean;
  /** What to run a program through so that it meets the full disk. */
  readonly wrapper: readonly string[];
  /** Which problem codes a full disk gives here. */
  readonly codes: readonly string[];
  /** Leaves so much room. */
  fill(leftBytes: number): void;
  /** Gives the room back. */
  free(): void;
  remove(): void;
}

/** Root gets a small disk in memory; others a limit on the size of each file, which ends writing in the same places. */
export function makeSmallDisk(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-disk-'));
  return mounted(folder) ? memoryDisk(folder) : limitedFiles(folder);
}

function mounted(folder: string): boolean {
  const options = `size=${sizeBytes}`;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

function memoryDisk(folder: string): SmallDisk {
  const filler = join(folder, 'filler');
  return {
    folder,
    isMounted: true,
    wrapper: [],
    codes: ['disk-full'],
    fill(leftBytes) {
      const { bavail, bsize } = statfsSync(folder);
      const file = openSync(filler, 'w');
      const zeros = Buffer.alloc(pageBytes);
      for (let left = bavail * bsize - leftBytes; left > 0; left -= pageBytes)
        writeSync(file, zeros, 0, Math.min(left, pageBytes));
      closeSync(file);
    },
    free: () => rmSync(filler, { force: true }),
    remove() {
      // A closed database keeps its files until its statements are collected; -l does not wait for that.
      execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function limitedFiles(folder: string): SmallDisk {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(
      'A full disk is tested on a tmpfs (as root) or with prlimit: apt-get install util-linux',
      { cause: error },
    );
  }
  const wrapper: string[] = [];
  return {
    folder,
    isMounted: false,
    wrapper,
    codes: ['disk-limit', 'database-damaged'],
    fill: (leftBytes) => wrapper.splice(0, wrapper.length, 'prlimit', `--fsize=${leftBytes}`),
    free: () => void wrapper.splice(0),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
