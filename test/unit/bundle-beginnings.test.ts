import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import {
  checkBeginnings,
  type EarlierPackage,
  type FileBeginning,
} from '../../shared/domain/identity/beginning-rules.ts';

/** What the rules say of files after earlier packages, each a list of files. */
function rulesOf(
  files: readonly (FileBeginning & { format?: string })[],
  ...earlier: readonly (readonly FileBeginning[])[]
): [string, string | undefined][] {
  const told: [string, string | undefined][] = [];
  const packages: EarlierPackage[] = earlier.map((list, index) => ({
    version: `1.${index}.0`,
    files: list,
  }));
  checkBeginnings(
    files.map((file) => ({
      format: 'unknown',
      ...file,
      report: (rule, _detail, evidence) => told.push([rule, evidence?.expected]),
    })),
    packages,
  );
  return told;
}
const file = (head: string, name = 'a.bin', sizeBytes = 1000): FileBeginning => ({
  name,
  sizeBytes,
  head,
});
const differs = (expected: string) => [['identity.fingerprint-differs', expected]];

test('three packages that begin alike teach how the next one begins', () => {
  const past = [[file('aabbccdd01')], [file('aabbccdd02')], [file('aabbccdd03')]];
  expect(rulesOf([file('aabbccdd99')], ...past)).toEqual([]);
  expect(rulesOf([file('aabbccde99')], ...past)).toEqual(differs('aabbccdd'));
  expect(rulesOf([file('aa')], ...past)).toEqual(differs('aabbccdd'));
  expect(rulesOf([file('ffffffffff')], ...past.slice(1))).toEqual([]);
});

test('less than four common bytes teach nothing', () => {
  const past = ['aabbcc01', 'aabbcc02', 'aabbcc03'].map((head) => [file(head)]);
  expect(rulesOf([file('00000000')], ...past)).toEqual([]);
});

test('a format that changed is learned anew, and an outlier raises no alarm', () => {
  const old = ['aabbccdd', 'aabbccdd', 'aabbccdd'].map((head) => [file(head)]);
  const now = ['11223344', '11223344', '11223344'].map((head) => [file(head)]);
  expect(rulesOf([file('11223344')], ...old, now[0]!)).toEqual([]);
  expect(rulesOf([file('aabbccdd')], ...old, now[0]!)).toEqual([]);
  expect(rulesOf([file('aabbccdd')], ...old, ...now)).toEqual(differs('11223344'));
});

test('only the last six count, and what is not known ends the row', () => {
  const far = ['aabbccdd00', 'aabbccddee', 'aabbccddee'].map((head) => [file(head)]);
  const near = Array.from({ length: 6 }, () => [file('aabbccdd11')]);
  expect(rulesOf([file('aabbccdd22')], ...far, ...near)).toEqual(differs('aabbccdd11'));
  const unknown: FileBeginning = { name: 'a.bin', sizeBytes: 1000 };
  expect(rulesOf([file('00000000')], ...far, [unknown])).toEqual([]);
});

test('the only file of a type follows the only one before; several follow their names', () => {
  const past = [1, 2, 3].map((minor) => [
    file('11111111', `radio-1.${minor}.bin`),
    file('22222222', `boot-1.${minor}.bin`),
    file('33333333', `all-1.${minor}.tar.gz`),
  ]);
  const next = [
    file('22222222', 'boot-1.4.bin'),
    file('00000000', 'radio-1.4.bin'),
    file('44444444', 'everything.tar.gz'),
    file('55555555', 'notes.gz'),
  ];
  expect(rulesOf(next, ...past).map(([, expected]) => expected)).toEqual(['11111111', '33333333']);
});

test('a size more than 30 % from the last release is told; scripts may grow', () => {
  const past = [[file('aa', 'a.bin', 5)], [file('aa', 'a.bin', 1000)]];
  const sized = (sizeBytes: number, format = 'unknown') =>
    rulesOf([{ ...file('aa', 'a.bin', sizeBytes), format }], ...past).length;
  expect([700, 1000, 1300].map((size) => sized(size))).toEqual([0, 0, 0]);
  expect([699, 1301].map((size) => sized(size))).toEqual([1, 1]);
  expect(sized(5000, 'python')).toBe(0);
  expect(rulesOf([file('aa', 'a.bin', 10)], [file('aa', 'a.bin', 0)])).toEqual([]);
});

let folder: string;
let studio: Studio;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-beginnings-'));
  await cp('resources/sample', folder, { recursive: true });
  studio = await createStudio({ workspacePath: folder });
});
afterEach(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

test('the past is taken from the records, and from the stored objects where they do not tell', async () => {
  const productId = 'SENSOR-1';
  const imageOf = async (version: string, start: string) => {
    const path = join(folder, `radio-${version}.mini_1`);
    await writeFile(path, `${start}${version} ${'x'.repeat(400)}`);
    return path;
  };
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    const files = [await imageOf(version, '\u0001RADIO-A-')];
    await studio.ask('bundle.create', { productId, version, componentId: 'STM32', files });
  }
  const workspace = await Workspace.open(folder);
  for (const pkg of workspace.list('package')) {
    const files = pkg.report.files.map(({ head: _head, ...rest }) => rest);
    workspace.put('package', pkg.releaseId, { ...pkg, report: { ...pkg.report, files } });
  }
  workspace.close();

  const inspect = async (start: string, version = '1.3.0') => {
    const files = [await imageOf(version, start)];
    const report = await studio.ask('bundle.inspect', { files, productId, version });
    return report.files[0]?.findings.find(({ rule }) => rule === 'identity.fingerprint-differs');
  };
  expect(await inspect('\u0001RADIO-A-')).toBeUndefined();
  expect(await inspect('\u0001RADIO-B-')).toMatchObject({
    verdict: 'warn',
    waivable: true,
    detail: '"radio-1.3.0.mini_1": the last 3 up to 1.2.0 began alike',
    evidence: {
      offset: 0,
      expected: Buffer.from('\u0001RADIO-A-1.').toString('hex'),
      found: Buffer.from('\u0001RADIO-B-1.').toString('hex'),
    },
  });
});
