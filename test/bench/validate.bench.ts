import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { entryPath } from '../../electron/worker/run-task.ts';
import { writeSection } from './report.ts';

const fileBytes = 100_000_000;
const fileCount = 5;
const runs = 3;
const allowedRatio = 2;

let folder = '';
let paths: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-validate-'));
  // Real machine code, repeated and numbered, stands for images; random bytes for encrypted ones.
  const code = readFileSync(process.execPath).subarray(0, 32 * 1024 * 1024);
  paths = Array.from({ length: fileCount }, (_, index) => {
    const path = join(folder, `image${index}.bin`);
    const file = openSync(path, 'wx');
    let left = fileBytes - writeSync(file, randomBytes(16));
    while (left > 0) {
      const part = index % 2 === 0 ? randomBytes(1024 * 1024) : code.subarray(index * 1024);
      left -= writeSync(file, part.subarray(0, left));
    }
    closeSync(file);
    return path;
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Wall time of a whole process in milliseconds; the process must end with 0. */
function elapsedMs(command: string, args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

it('inspects 5 x 100 MB in at most twice the time of sha256sum', () => {
  const cli = entryPath('cli');
  const inspect = (): number =>
    elapsedMs(process.execPath, [cli, 'bundle', 'inspect', ...paths, '--json']);
  const sum = (): number => elapsedMs('sha256sum', paths);
  // One round beforehand puts the files into the page cache for both.
  sum();
  inspect();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    theirs.push(sum());
    ours.push(inspect());
  }
  const ratio = median(ours) / median(theirs);
  writeSection('validate', 'Inspecting 5 × 100 MB', [
    'Five raw images of 100,000,000 bytes (three random, two machine code), warm page cache,',
    `whole processes, median of ${runs} runs. Archives and record files take longer: they are`,
    'unpacked or decoded as well.',
    '',
    '| | ms (median) | runs |',
    '|---|---|---|',
    `| \`sha256sum\` | ${median(theirs).toFixed(0)} | ${theirs.map((ms) => ms.toFixed(0)).join(', ')} |`,
    `| \`slipway bundle inspect --json\` | ${median(ours).toFixed(0)} | ${ours.map((ms) => ms.toFixed(0)).join(', ')} |`,
    '',
    `Ratio ${ratio.toFixed(2)} (at most ${allowedRatio} allowed).`,
  ]);
  expect(ratio).toBeLessThanOrEqual(allowedRatio);
}, 300_000);
