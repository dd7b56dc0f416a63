import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { beforeAll, expect, it } from 'vitest';
import { type CampaignResult, usualBudgetMs } from '../support/fuzz/campaign.ts';
import { fuzzSubjects } from '../support/fuzz/subjects.ts';
import { runMeasured } from './measure.ts';
import { sectionRows, writeSection } from './report.ts';

const cases = Number(process.env.SLIPWAY_FUZZ_CASES ?? 100_000);
const seed = Number(process.env.SLIPWAY_FUZZ_SEED ?? Date.now() % 1_000_000);
const wanted = process.env.SLIPWAY_FUZZ_READERS?.split(',');
/** A reader that is not done by then hangs. */
const hangSeconds = 1800;
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

interface ReaderResult extends CampaignResult {
  readonly name: string;
  readonly seed: number;
  readonly grownBytes: number;
}

function fuzz(name: string): ReaderResult {
  const node = [process.execPath, '--expose-gc', child, name, String(cases), String(seed)];
  const { stdout } = runMeasured('timeout', [String(hangSeconds), ...node]);
  return { name, seed, ...(JSON.parse(stdout) as Omit<ReaderResult, 'name' | 'seed'>) };
}

const fileOf = (name: string): string => join(folder, `${name.replaceAll(' ', '-')}-${cases}.txt`);

/** The row of a reader: what was found out now, or what an earlier run with more cases did. */
function rowOf(name: string, results: readonly ReaderResult[]): string[] {
  const result = results.find((one) => one.name === name);
  const earlier = sectionRows('fuzz').find(([first]) => first === name);
  const earlierCases = Number(earlier?.[2]?.replaceAll(',', '') ?? 0);
  if (result && result.cases >= earlierCases) return [row(result)];
  return earlier ? [`| ${earlier.join(' | ')} |`] : [];
}

it(`every reader survives ${cases} mutated inputs`, () => {
  const names = fuzzSubjects.map(({ name }) => name);
  const results = names.filter((name) => wanted === undefined || wanted.includes(name)).map(fuzz);
  for (const { name, failure } of results) {
    if (failure === null) continue;
    writeFileSync(fileOf(name), `${failure.base64}\n`);
    console.error(`${name}: ${failure.why}\nThe case is in ${fileOf(name)}.`);
  }
  writeSection('fuzz', 'Fuzzing the readers', [
    'Each reader in a process of its own; sound files of other tools with one to six mutations (bits,',
    'bytes, fields of two to eight bytes at the limits, cuts, repeats, splices), half of them with',
    'their checksums made right again. Slowest is the longest single case, memory what the process',
    'grew by at most; outcomes are the distinct findings or errors that were told.',
    '',
    '| reader | seed | cases | slowest ms | memory MB | outcomes |',
    '|---|---|---|---|---|---|',
    ...names.flatMap((name) => rowOf(name, results)),
    '',
    `At most ${usualBudgetMs} ms for a case and ${allowedBytes / 2 ** 20} MB of memory are allowed. The RAR engine starts a thread`,
    'for each archive and may take 128 MB: it gets fewer cases and more time. A script in which nothing',
    'is Python may take 400 ms: its grammar goes on behind each error, in time that is linear and limited.',
  ]);
  expect(results.filter(({ failure }) => failure !== null).map(({ name }) => name)).toEqual([]);
  for (const { name, grownBytes } of results) {
    const { budgetBytes = allowedBytes } = fuzzSubjects.find((one) => one.name === name) ?? {};
    expect(grownBytes, name).toBeLessThanOrEqual(budgetBytes);
  }
});

const row = ({ name, seed: used, cases: done, slowestMs, grownBytes, outcomes }: ReaderResult) =>
  `| ${name} | ${used} | ${done.toLocaleString('en')} | ${slowestMs.toFixed(1)} | ${(grownBytes / 2 ** 20).toFixed(0)} | ${outcomes.length} |`;
