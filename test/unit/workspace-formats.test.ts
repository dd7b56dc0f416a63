import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { ProblemError } from '../../shared/domain/problem.ts';
import type { Input } from '../../shared/contract/contract.ts';
import { zipOf } from '../support/archives.ts';

let folder: string;
let config: string;
let studio: Studio | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-formats-'));
  await cp('resources/sample', folder, { recursive: true });
  config = join(folder, 'slipway.yaml');
});
afterEach(async () => {
  await studio?.close();
  studio = undefined;
  await rm(folder, { recursive: true, force: true });
});

const open = async (): Promise<Studio> => (studio = await createStudio({ workspacePath: folder }));
const detailOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as ProblemError).problem.detail,
  );

const formats = `
# What our vendors send.
formats:
  # The radio's own container.
  - name: radio
    extensions: [.rdo] # not on the price list
    magic: { text: RADIO1 }
    fields:
      - { name: size, offset: 0x6, bytes: 2, means: file-size }
  - name: sensor
    magic: { text: SENSOR }
`;
type Draft = Input<'formats.test'>['format'];
const radio: Draft = {
  name: 'radio',
  extensions: ['.rdo'],
  magic: { text: 'RADIO1' },
  fields: [{ name: 'size', offset: 6, bytes: 2, means: 'file-size' }],
  version: { pattern: 'v(\\d+\\.\\d+)' },
};

/** What is wrong, the change that makes it so, a text of the line that must be named, and what is said. */
test.each<[string, (text: string) => string, string, RegExp]>([
  [
    'a field that does not exist',
    (text) => text.replace('means: file-size', 'means: size-of-file'),
    'size-of-file',
    /formats\[0\]\.fields\[0\]\.means: /,
  ],
  [
    'a misspelled key',
    (text) => text.replace('extensions:', 'extension:'),
    'extension: ',
    /formats\[0\]\.extension: /,
  ],
  [
    'a key that is missing',
    (text) => text.replace('offset: 0x6, ', ''),
    'name: size',
    /formats\[0\]\.fields\[0\]\.offset: /,
  ],
  [
    'a pattern that RE2 does not know',
    (text) => `${text}    version: { pattern: '(a)(?=b)' }\n`,
    'pattern:',
    /formats\[1\]\.version\.pattern: .*\(\?=/,
  ],
  [
    'a pattern without a group',
    (text) => `${text}    version: { pattern: 'a' }\n`,
    'pattern:',
    /0 capturing groups; it needs exactly one/,
  ],
  [
    'the same name twice',
    (text) => text.replace('name: sensor', 'name: radio'),
    '  - name: radio\n    magic: { text: SENSOR',
    /formats\[1\]\.name: .*twice/,
  ],
  [
    'a rule that does not exist',
    (text) =>
      text.replace(
        'benchRunsRequired: 1',
        'benchRunsRequired: 1\n      findings:\n        secret.wifi: warn\n        secret.wlan: warn',
      ),
    'secret.wlan',
    /findings\["secret\.wlan"\]: no rule has this id/,
  ],
  [
    'a severity that does not exist',
    (text) =>
      text.replace(
        'benchRunsRequired: 1',
        'benchRunsRequired: 1\n      findings:\n        secret.wifi: off',
      ),
    'secret.wifi',
    /findings\["secret\.wifi"\]: .*"allow"/,
  ],
])('%s is refused with its line', async (_what, change, place, expected) => {
  const text = change((await readFile(config, 'utf8')) + formats);
  await writeFile(config, text);
  const line = text.slice(0, text.indexOf(place)).split('\n').length;
  const detail = await detailOf(open());
  expect(detail).toMatch(expected);
  expect(detail).toContain(`slipway.yaml: line ${line}: `);
});

test('saving keeps every comment and replaces only the format of that name', async () => {
  await writeFile(config, (await readFile(config, 'utf8')) + formats);
  const { ask } = await open();
  const saved = await ask('formats.save', { format: radio });
  expect(saved.map(({ name }) => name)).toEqual(['radio', 'sensor']);
  const text = await readFile(config, 'utf8');
  for (const comment of ['# A Slipway workspace', '# What our vendors send.', '# The radio'])
    expect(text).toContain(comment);
  expect(text).toContain('pattern: v(\\d+\\.\\d+)');
  expect(text).not.toContain('checksums');

  const renamed = await ask('formats.save', {
    format: { ...radio, name: 'wireless' },
    replaces: 'radio',
  });
  expect(renamed.map(({ name }) => name)).toEqual(['wireless', 'sensor']);
  await ask('formats.remove', { name: 'sensor' });
  await ask('formats.remove', { name: 'wireless' });
  expect(await ask('formats.list', {})).toEqual([]);
  expect(await detailOf(ask('formats.remove', { name: 'wireless' }))).toMatch(/no format wireless/);
  const again = await ask('formats.save', { format: radio });
  expect(again.map(({ name }) => name)).toEqual(['radio']);
  await studio?.close();
  expect(await (await open()).ask('formats.list', {})).toEqual(again);
});

test('a format that cannot be is not written, and the next one is', async () => {
  const { ask } = await open();
  const before = await readFile(config, 'utf8');
  const format: Draft = { ...radio, version: { pattern: '(a' } };
  expect(await detailOf(ask('formats.save', { format }))).toMatch(/missing closing \)/);
  expect(await readFile(config, 'utf8')).toBe(before);
  await ask('formats.save', { format: radio });
  // A new name that is taken would put the same name into the file twice.
  const taken = ask('formats.save', { format: radio, replaces: 'other' });
  expect(await detailOf(taken)).toMatch(/twice/);
});

test('edits at the same time are all kept', async () => {
  const { ask } = await open();
  const names = Array.from({ length: 8 }, (_, index) => `radio-${index}`);
  await Promise.all([
    ...names.map((name) => ask('formats.save', { format: { ...radio, name } })),
    ask('settings.set', { fileTypes: ['.rbl'] }),
  ]);
  expect((await ask('formats.list', {})).map(({ name }) => name)).toEqual(names);
  expect((await ask('settings.get', {})).fileTypes).toEqual(['.rbl']);
});

test('a draft is tried on a file without being saved', async () => {
  const file = join(folder, 'image.rdo');
  await writeFile(file, 'RADIO1\x10\0 v1.4 abc');
  const { ask } = await open();
  const result = await ask('formats.test', { format: radio, file });
  expect(result).toMatchObject({ recognised: true, sizeBytes: 17, version: '1.4' });
  expect(result.findings).toMatchObject([
    { rule: 'format.size', evidence: { offset: 6, expected: '17 bytes', found: '16 bytes' } },
  ]);
  expect(result.fields.find(({ name }) => name === 'size')).toEqual({
    name: 'size',
    offset: 6,
    sizeBytes: 2,
    hex: '1000',
    value: '16',
    expected: '17',
    passed: false,
  });
  const bad: Draft = { ...radio, version: { pattern: 'v(.' } };
  expect(await detailOf(ask('formats.test', { format: bad, file }))).toMatch(/version\.pattern: /);
  expect(await ask('formats.list', {})).toEqual([]);
});

test('a described file is checked in full, takes part in the version check and is not opaque', async () => {
  const { ask } = await open();
  await ask('formats.save', { format: { ...radio, extensions: ['.pack', '.rdo'] } });
  const file = join(folder, 'image.pack');
  await writeFile(file, 'RADIO1\x11\0 v1.4 abc');
  const rulesOf = async (version: string) => {
    const report = await ask('bundle.inspect', { files: [file], version });
    expect(report.files[0]?.format).toBe('radio');
    return report.files[0]?.findings.map(({ rule }) => rule);
  };
  expect(await rulesOf('1.4')).toEqual(['format.read', 'identity.version-found', 'file.hash']);
  expect(await rulesOf('1.5')).toContain('identity.version-differs');

  const rdo = join(folder, 'image.rdo');
  await writeFile(rdo, 'PK\x03\x04 something else');
  const report = await ask('bundle.inspect', { files: [rdo] });
  expect(report.files[0]?.format).toBe('zip');
  const rules = report.files[0]?.findings.map(({ rule }) => rule) ?? [];
  // Its extension is allowed, its content is not what the extension says and is checked as it is.
  expect(rules).not.toContain('file.type-not-allowed');
  expect(rules).toEqual(expect.arrayContaining(['format.magic', 'zip.truncated']));
});

test('a described file in an archive is checked as well, and told with its path', async () => {
  const { ask } = await open();
  await ask('formats.save', { format: radio });
  const members = { 'fw/radio.rdo': 'RADIO1\x63\x01 v1.4 abc', 'fw/other.rdo': 'something else' };
  const file = join(folder, 'all.zip');
  await writeFile(
    file,
    zipOf(Object.entries(members).map(([name, text]) => ({ name, content: Buffer.from(text) }))),
  );
  const report = await ask('bundle.inspect', { files: [file], version: '1.4' });
  const found = (report.files[0]?.findings ?? []).map(({ rule, evidence }) => [
    rule,
    evidence.member,
  ]);
  expect(found).toContainEqual(['format.size', 'fw/radio.rdo']);
  expect(found).toContainEqual(['format.magic', 'fw/other.rdo']);
  expect(found).toContainEqual(['identity.version-found', 'fw/radio.rdo']);
});
