import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { IntelHexReader } from '../../shared/formats/intel-hex.ts';
import type { Report } from '../../shared/formats/report.ts';
import { SRecordReader } from '../../shared/formats/s-record.ts';
import { bundleRules } from '../../shared/messages/bundle-rules.ts';
import { runCampaign } from '../support/fuzz/campaign.ts';
import { mutate, mutationPlans } from '../support/fuzz/mutations.ts';
import type { FuzzSubject } from '../support/fuzz/fuzz-subject.ts';
import { fuzzSubjects } from '../support/fuzz/subjects.ts';
import { InspectBench } from '../support/inspect.ts';

const corpusFolder = 'test/support/fuzz/corpus';
const subject = (name: string): FuzzSubject => {
  const found = fuzzSubjects.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no reader ${name}`);
  return found;
};

describe('every reader', () => {
  test.each(fuzzSubjects)('$name reads its seeds and survives mutated ones', async (reader) => {
    for (const seed of reader.seeds) await reader.read(Buffer.from(seed));
    // `npm run fuzz` runs 100,000 of each, in processes whose memory is measured.
    const { failure, outcomes } = await runCampaign(
      reader,
      Math.ceil(300 * (reader.share ?? 1)),
      20_261_124,
    );
    expect(failure).toBeNull();
    expect(outcomes).not.toEqual([]);
  });

  const found = existsSync(corpusFolder)
    ? readdirSync(corpusFolder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.txt'),
      )
    : [];
  test.each(found)('survives %s, which once it did not', async (path) => {
    const bytes = Buffer.from(readFileSync(join(corpusFolder, path), 'latin1'), 'base64');
    const startedMs = performance.now();
    await subject(path.split('/')[0] ?? '').read(bytes);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

interface Reader {
  push(chunk: Uint8Array): void;
  finish(): unknown;
}

/** What a reader says about bytes that come in pieces of the given sizes (the last one repeats). */
function told(
  make: (report: Report) => Reader,
  bytes: Uint8Array,
  sizes: readonly number[],
): string[] {
  const findings: string[] = [];
  const reader = make((rule, detail, evidence) => {
    expect(bundleRules).toHaveProperty([rule]);
    findings.push(`${rule} ${detail} ${evidence?.offset ?? ''}`);
  });
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[Math.min(piece, sizes.length - 1)] ?? bytes.length;
    // A Buffer that is overwritten afterwards, as the window of a file is: what must be kept has to be copied.
    const window = Buffer.from(bytes.subarray(at, at + size));
    reader.push(window);
    window.fill(0xaa);
    at += size;
  }
  reader.finish();
  return findings;
}

describe('readers of records', () => {
  test.each([
    ['s-record', (report: Report): Reader => new SRecordReader(report)],
    ['intel-hex', (report: Report): Reader => new IntelHexReader(report)],
  ] as const)('%s: any bytes, in any pieces, give the same findings', (name, make) => {
    const { seeds, repair } = subject(name);
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 4, arbitrary: mutationPlans.map((plan) => mutate(plan, seeds, repair)) },
          { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3000 }) },
        ),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        (bytes, sizes) => {
          expect(told(make, bytes, sizes)).toEqual(told(make, bytes, [bytes.length || 1]));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the whole inspection', () => {
  const bench = new InspectBench();
  afterAll(() => bench.remove());

  const names: Readonly<Record<string, string>> = {
    's-record': 'a.s19',
    'intel-hex': 'a.hex',
    elf: 'a.elf',
    uf2: 'a.uf2',
    'esp-image': 'a.bin',
    uimage: 'a.bin',
    fit: 'a.itb',
    zip: 'a.zip',
    rar: 'a.rar',
    tar: 'a.tar',
    gzip: 'a.tar.gz',
  };

  test('ends with a hash for mutated files of every format under every name', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(names)),
        fc.option(fc.constantFrom(...Object.values(names)), { freq: 4 }),
        mutationPlans,
        async (format, otherName, plan) => {
          const { seeds, repair } = subject(format);
          const bytes = mutate(plan, seeds, repair);
          const name = otherName ?? names[format] ?? '';
          const rules = await bench.rulesOf(name, bytes, { version: '1.2.3' });
          expect(rules).toContain('file.hash');
        },
      ),
      { numRuns: 600 },
    );
  });
});
