import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { entryPath } from '../../electron/worker/run-task.ts';
import { tarHeader, zip } from '../support/archives.ts';
import { type Cost, debianVersion, median, megabytes, runMeasured } from './measure.ts';
import { writeSection } from './report.ts';

const fileBytes = 100_000_000;
const runs = 5;
const allowedRatio = 2;

let folder = '';
let code: Buffer;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-validate-'));
  // Real machine code stands for images, random bytes for encrypted ones.
  code = readFileSync(process.execPath).subarray(4_000_000, 84_000_000);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const codeOf = (sizeBytes: number): Buffer => {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; ) at += code.copy(bytes, at, at === 0 ? 0 : 1024);
  return bytes;
};

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** S3 records of 32 bytes. */
function sRecords(name: string): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  const linesPerWrite = 10_000;
  let written = writeSync(file, 'S00600004844521B\n');
  for (let at = 0; written < fileBytes - linesPerWrite * 79; ) {
    let text = '';
    for (let line = 0; line < linesPerWrite; line++, at += 32) {
      const record = Buffer.alloc(38);
      record[0] = 37;
      record.writeUInt32BE(at, 1);
      code.copy(record, 5, at % 79_000_000, (at % 79_000_000) + 32);
      record[37] = ~record.subarray(0, 37).reduce((sum, byte) => sum + byte, 0);
      text += `S3${record.toString('hex').toUpperCase()}\n`;
    }
    written += writeSync(file, text);
  }
  writeSync(file, 'S70500000000FA\n');
  closeSync(file);
  return path;
}

function tarGz(name: string, members: readonly Buffer[]): string {
  const blocks = members.flatMap((bytes, index) => [
    tarHeader(`image-${index}.bin`, `${bytes.length.toString(8).padStart(11, '0')}\0`, '0'),
    bytes,
    Buffer.alloc((512 - (bytes.length % 512)) % 512),
  ]);
  return put(name, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 1 }));
}

/** Our whole command and sha256sum, in turns, after one round that brings the files into the page cache. */
function compare(paths: readonly string[]): { ours: Cost[]; theirs: Cost[] } {
  const inspect = (): Cost =>
    runMeasured(process.execPath, [entryPath('cli'), 'bundle', 'inspect', ...paths, '--json']);
  const sum = (): Cost => runMeasured('sha256sum', paths);
  sum();
  inspect();
  const [ours, theirs]: [Cost[], Cost[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    theirs.push(sum());
    ours.push(inspect());
  }
  return { ours, theirs };
}

it('inspects 5 x 100 MB, secrets included, in at most twice the time of sha256sum', () => {
  const raw = compare([
    put('encrypted-1.bin', randomBytes(fileBytes)),
    put('encrypted-2.bin', randomBytes(fileBytes)),
    put('encrypted-3.bin', randomBytes(fileBytes)),
    put('module-1.bin', codeOf(fileBytes)),
    put('module-2.bin', codeOf(fileBytes).reverse()),
  ]);
  const mixed = compare([
    join(folder, 'encrypted-1.bin'),
    join(folder, 'module-1.bin'),
    sRecords('mcu.s19'),
    put(
      'assets.zip',
      zip('assets.bin', Buffer.concat([randomBytes(85_000_000), codeOf(40_000_000)]), 1),
    ),
    tarGz('rootfs.tar.gz', [randomBytes(70_000_000), codeOf(70_000_000)]),
  ]);
  const ms = (costs: readonly Cost[]): number => median(costs.map((cost) => cost.elapsedMs));
  const row = (name: string, { ours, theirs }: { ours: Cost[]; theirs: Cost[] }): string => {
    const peak = Math.max(...ours.map((cost) => cost.peakRssBytes));
    return `| ${name} | ${ms(theirs).toFixed(0)} | ${ms(ours).toFixed(0)} | ${(ms(ours) / ms(theirs)).toFixed(2)} | ${megabytes(peak)} |`;
  };
  writeSection('validate', 'Inspecting 5 × 100 MB', [
    'Whole processes on the same files in turns, warm page cache, median of ' + `${runs} runs:`,
    `\`slipway bundle inspect --json\` against \`sha256sum\` (coreutils ${debianVersion('coreutils')}).`,
    'Raw: three encrypted images (random bytes) and two of machine code. Mixed: one of each, S-records,',
    'a zip of 125 MB and a tar.gz of 140 MB unpacked, about 100 MB each as files; records are decoded,',
    'archives unpacked, every checksum inside is checked, and all content is searched for secrets.',
    '',
    '| files | sha256sum ms | slipway ms | ratio | slipway peak MB |',
    '|---|---|---|---|---|',
    row('raw', raw),
    row('mixed', mixed),
    '',
    `At most ${allowedRatio} times sha256sum is allowed.`,
  ]);
  for (const { ours, theirs } of [raw, mixed])
    expect(ms(ours) / ms(theirs)).toBeLessThanOrEqual(allowedRatio);
}, 600_000);
