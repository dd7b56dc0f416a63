import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { beforeAll, expect, it } from 'vitest';
import type { CampaignResult } from '../support/fuzz/campaign.ts';
import { fuzzSubjects } from '../support/fuzz/subjects.ts';
import { runMeasured } from './measure.ts';
import { writeSection } from './report.ts';

const cases = Number(process.env.SLIPWAY_FUZZ_CASES ?? 100_000);
const seed = Number(process.env.SLIPWAY_FUZZ_SEED ?? Date.now() % 1_000_000);
const wanted = process.env.SLIPWAY_FUZZ_READERS?.split(',');
/** A reader that is not done by then hangs. */
const hangSeconds = 1800;
const allowedMs = 100;
const allowedBytes = 64 * 1024 * 1024;

const folder = resolve('test/artifacts/fuzz');
const child = join(folder, 'child.mjs');

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: 'test/support/fuzz/child.ts',
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
});

type ChildResult = CampaignResult & { readonly grownBytes: number };

function fuzz(name: string): ChildResult {
  const node = [process.execPath, '--expose-gc', child, name, String(cases), String(seed)];
  return JSON.parse(runMeasured('timeout', [String(hangSeconds), ...node]).stdout) as ChildResult;
}

it(`every reader survives ${cases} mutated inputs`, () => {
  const results = fuzzSubjects
    .map(({ name }) => name)
    .filter((name) => wanted === undefined || wanted.includes(name))
    .map((name) => ({ name, ...fuzz(name) }));
  for (const { name, failure } of results) {
    if (failure === null) continue;
    const path = join(folder, `${name.replaceAll(' ', '-')}.txt`);
    writeFileSync(path, `${failure.base64}\n`);
    console.error(`${name}: ${failure.why}\nThe case is in ${path}.`);
  }
  const lines = [
    `Seed ${seed}. Each reader in a process of its own; sound files of other tools with one to six`,
    'mutations (bits, bytes, fields of two to eight bytes at the limits, cuts, repeats, splices), half',
    'of them with their checksums made right again. Slowest is the longest single case, memory what',
    'the process grew by at most; outcomes are the distinct findings or errors that were told.',
    '',
    '| reader | cases | slowest ms | memory MB | outcomes |',
    '|---|---|---|---|---|',
    ...results.map(
      ({ name, cases: done, slowestMs, grownBytes, outcomes }) =>
        `| ${name} | ${done.toLocaleString('en')} | ${slowestMs.toFixed(1)} | ${(grownBytes / 2 ** 20).toFixed(0)} | ${outcomes.length} |`,
    ),
    '',
    `At most ${allowedMs} ms for a case and ${allowedBytes / 2 ** 20} MB of memory are allowed.`,
  ];
  if (wanted === undefined) writeSection('fuzz', 'Fuzzing the readers', lines);
  else console.log(lines.join('\n'));
  expect(results.filter(({ failure }) => failure !== null).map(({ name }) => name)).toEqual([]);
  for (const { name, slowestMs, grownBytes } of results) {
    expect(slowestMs, name).toBeLessThanOrEqual(allowedMs);
    expect(grownBytes, name).toBeLessThanOrEqual(allowedBytes);
  }
});
