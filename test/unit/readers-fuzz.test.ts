import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FindingList } from '../../electron/core/bundle/finding-list.ts';
import { readImage } from '../../electron/core/bundle/image-readers.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { checkPythonLayout } from '../../shared/formats/python-layout.ts';
import { bundleRules } from '../../shared/messages/bundle-rules.ts';
import { mpyFiles, patches } from '../support/peer-files.ts';
import { changedPac, makePac } from '../support/pac-package.ts';

/** `SLIPWAY_FUZZ_RUNS=100000 npx vitest run test/unit/readers-fuzz.test.ts` for a long campaign. */
const numRuns = Number(process.env.SLIPWAY_FUZZ_RUNS ?? 500);
const longestMs = 100;
const mostBytes = 64 * 1024 * 1024;

const pac = makePac([
  { id: 'FDL', fileName: 'fdl.bin', data: Buffer.alloc(40, 1) },
  { id: 'NV', fileName: 'nv.bin', data: Buffer.alloc(30, 2) },
]);
const endsley = Buffer.concat([
  Buffer.from('ENDSLEY/BSDIFF43'),
  patches.bsdiff40.subarray(24, 32),
  patches.bsdiff40.subarray(32),
]);
const singleStream = Buffer.concat([
  Buffer.from('HDIFFSF20&zlib\0'),
  Buffer.from([0x8b, 0x41, 0x8b, 0x16, 3, 0x8b, 0x41, 20, 0]),
  Buffer.alloc(20, 7),
]);
const payload = Buffer.concat([
  Buffer.from('CrAU'),
  Buffer.from('0000000000000002000000000000000a00000006', 'hex'),
  Buffer.alloc(60, 0x18),
]);

const subjects: readonly (readonly [format: string, seeds: readonly Buffer[]])[] = [
  ['pac', [pac]],
  ['mpy', Object.values(mpyFiles)],
  ['bsdiff40', [patches.bsdiff40]],
  ['bsdiff43', [endsley]],
  ['vcdiff', [patches.xdelta, patches.xdeltaDjw, patches.xdeltaLzma]],
  ['hdiff', [patches.hdiffPlain, patches.hdiffZstd, patches.hdiffTamp, singleStream]],
  ['detools', [patches.detoolsLzma, patches.detoolsInPlace, patches.detoolsHdiffpatch]],
  ['android-payload', [payload]],
];

/** Sound content that was edited, with fields set to extremes, pieces moved, cut or repeated. */
const mutations = (seeds: readonly Buffer[]) =>
  fc
    .record({
      seed: fc.constantFrom(...seeds),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
      field: fc.option(
        fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff)),
      ),
      move: fc.option(fc.tuple(fc.nat(), fc.nat(), fc.nat(64)), { freq: 3 }),
      cut: fc.option(fc.nat(), { freq: 4 }),
      tail: fc.option(fc.uint8Array({ maxLength: 40 }), { freq: 4 }),
    })
    .map(({ seed, edits, field, move, cut, tail }) => {
      const bytes = Buffer.from(seed);
      // The first bytes decide; most of what they announce stands behind.
      for (const [at, value] of edits) bytes[at % Math.min(bytes.length, 4000)] = value;
      if (field) bytes.writeUInt32LE(field[1], field[0] % (bytes.length - 4));
      if (move)
        bytes.copyWithin(
          move[0] % bytes.length,
          move[1] % bytes.length,
          (move[1] % bytes.length) + move[2],
        );
      const kept = cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
      return tail === null ? kept : Buffer.concat([kept, tail]);
    });

async function timed(format: string, bytes: Buffer) {
  const findings = new FindingList();
  const before = process.cpuUsage();
  const source = memorySource(bytes);
  const facts = await readImage(format, source, { memory: [] }, findings, () => undefined);
  const { user, system } = process.cpuUsage(before);
  return { facts, list: findings.list(), cpuMs: (user + system) / 1000 };
}

describe('readers of packages, bytecode and patches', () => {
  test.each(subjects)(
    '%s: any bytes give known findings in time and little memory',
    async (format, seeds) => {
      const before = process.memoryUsage().arrayBuffers;
      await fc.assert(
        fc.asyncProperty(mutations(seeds), async (mutated) => {
          // With right checksums the mutations reach what lies behind them.
          const bytes =
            format === 'pac' && mutated.length > 2124
              ? changedPac(mutated, () => undefined)
              : mutated;
          const first = await timed(format, bytes);
          // What a collection of garbage took is not the reader's.
          const { facts, list, cpuMs } =
            first.cpuMs < longestMs ? first : await timed(format, bytes);
          expect(cpuMs).toBeLessThan(longestMs);
          for (const { rule } of list) expect(bundleRules).toHaveProperty([rule]);
          expect(facts === null).toBe(list.some(({ verdict }) => verdict === 'block'));
          expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(mostBytes);
        }),
        { numRuns },
      );
    },
    Math.max(30_000, numRuns * 5),
  );

  test(
    'python: any text has a layout that is right or told to be wrong',
    () => {
      const brackets = ['(', ')', '[', ']', '{', '}', '"', "'", '"""', "'''"];
      const lines = ['\n', '\r\n', '\r', '\t', '  ', '\f', ':', '\\', '\\\n', '#'];
      const words = ['if x', 'def f()', 'x = 1', '\uFEFF', '\0', 'é'];
      const piece = fc.constantFrom(...brackets, ...lines, ...words);
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
          const rules: string[] = [];
          const isSound = checkPythonLayout(pieces.join(''), (rule) => rules.push(rule));
          expect(isSound).toBe(!rules.some((rule) => /^script\.(syntax|indent)$/.test(rule)));
        }),
        { numRuns },
      );
    },
    Math.max(30_000, numRuns * 5),
  );
});
