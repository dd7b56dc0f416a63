import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyEvidence } from '../../electron/core/evidence/verify-evidence.ts';
import { canonicalJson } from '../../shared/domain/canonical-json.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-evidence-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function record(): Buffer {
  const body = {
    schema: 'slipway.evidence/1',
    exportedAt: '2026-01-01T00:00:00.000Z',
    release: {
      id: 'r',
      productId: 'SENSOR-1',
      version: '1.1.0',
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    packages: [],
    benchRuns: [],
    rollouts: [],
    signatures: { state: 'unsigned', entries: [] },
  };
  const digest = createHash('sha256').update(canonicalJson(body)).digest('hex');
  return Buffer.from(canonicalJson({ ...body, digest }));
}

test('an untouched record passes and says that it is unsigned', async () => {
  const path = join(folder, 'good.json');
  await writeFile(path, record());
  const report = await verifyEvidence(path);
  expect(report.verdict).toBe('pass');
  expect(report.checks.find((check) => check.id === 'signatures')?.why).toMatch(/Unsigned/);
});

test('any edited byte is found', async () => {
  const good = record();
  const path = join(folder, 'edited.json');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (offset, flip) => {
        const edited = Buffer.from(good);
        edited[offset] = (edited[offset] ?? 0) ^ flip;
        await writeFile(path, edited);
        expect((await verifyEvidence(path)).verdict).toBe('block');
      },
    ),
    { numRuns: 300 },
  );
});

test('canonical JSON does not depend on key order', () => {
  expect(canonicalJson({ b: 1, a: [{ d: 1, c: 2 }] })).toBe(
    canonicalJson({ a: [{ c: 2, d: 1 }], b: 1 }),
  );
});
