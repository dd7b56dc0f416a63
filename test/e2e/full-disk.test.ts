import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Log } from '../../electron/core/log.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { type CommandOutcome, slipway } from '../support/command.ts';
import { expectWhole } from '../support/whole-workspace.ts';
import { makeSmallDisk, type SmallDisk } from '../support/small-disk.ts';

let disk: SmallDisk;
let workspace: string;
let elsewhere: string;
const pageBytes = 4096;

beforeEach(async () => {
  disk = makeSmallDisk();
  workspace = join(disk.folder, 'workspace');
  await cp('resources/sample', workspace, { recursive: true });
  elsewhere = await mkdtemp(join(tmpdir(), 'slipway-elsewhere-'));
  expect(await createPackage('1.0.0')).toMatchObject({ exitCode: 0 });
});
afterEach(async () => {
  disk.remove();
  await rm(elsewhere, { recursive: true, force: true });
});

function createPackage(version: string): Promise<CommandOutcome> {
  const image = join(workspace, `firmware/sensor-${version}.bin`);
  return run(
    'bundle',
    'create',
    image,
    '--product',
    'SENSOR-1',
    '--component',
    'STM32',
    '--version',
    version,
  );
}

const run = (...args: string[]): Promise<CommandOutcome> =>
  slipway(['--workspace', workspace, ...args], disk.wrapper);

function expectFull({ exitCode, problem }: CommandOutcome): void {
  expect(disk.codes, JSON.stringify(problem)).toContain(problem?.code);
  expect(problem?.title).toMatch(/disk|database/i);
  expect(problem?.detail).toMatch(/no space|full|too large|i\/o/i);
  expect(problem?.hint).toMatch(/free some space|room|disk/i);
  expect(exitCode).toBe(3);
}

/** The workspace opens, and holds whole what it held: the package of 1.0.0, and nothing half-made. */
async function expectOnlyOldPackage(): Promise<void> {
  expect((await expectWhole(workspace)).map((pkg) => pkg.targetVersion)).toEqual(['1.0.0']);
}

test('bundle create stops at every amount of room that is too small, and is done once there is enough', async () => {
  for (const leftPages of disk.isMounted ? [0, 2, 5, 8] : [0, 2, 3]) {
    disk.fill(leftPages * pageBytes);
    expectFull(await createPackage('1.1.0'));
    disk.free();
    await expectOnlyOldPackage();
  }
  expect(await createPackage('1.1.0')).toMatchObject({ exitCode: 0 });
  expect(await expectWhole(workspace)).toHaveLength(2);
});

test('delta make leaves the file that was there', async () => {
  const out = join(disk.folder, 'out.patch');
  const [source, target] = [join(elsewhere, 'source'), join(elsewhere, 'target')];
  await cp(process.execPath, source);
  await writeFile(
    target,
    (await readFile(source)).subarray(0, 300_000).map((byte, at) => byte ^ at),
  );
  await writeFile(source, (await readFile(source)).subarray(0, 300_000));
  await writeFile(out, 'old');
  const before = await readdir(disk.folder);
  disk.fill(2 * pageBytes);
  expectFull(await slipway(['delta', 'make', source, target, '-o', out], disk.wrapper));
  disk.free();
  expect(await readFile(out, 'utf8')).toBe('old');
  expect(await readdir(disk.folder)).toEqual(before);
});

test('evidence export leaves the file that was there', async () => {
  const out = join(disk.folder, 'release.evidence.json');
  await writeFile(out, 'old');
  disk.fill(0);
  expectFull(await run('evidence', 'export', 'SENSOR-1@1.0.0', '--out', out));
  disk.free();
  expect(await readFile(out, 'utf8')).toBe('old');
  await expectOnlyOldPackage();
  expect(await run('evidence', 'export', 'SENSOR-1@1.0.0', '--out', out)).toMatchObject({
    exitCode: 0,
  });
});

test('the log goes on without its file, says so once, and goes on in the file on a line of its own', async () => {
  const folder = join(disk.folder, 'logs');
  const file = join(folder, 'slipway.log');
  await mkdir(folder);
  const messages: string[] = [];
  const log = new Log(folder, (entry) => messages.push(entry.message));
  log.write('info', 'app', 'before');
  if (disk.isMounted) disk.fill(0);
  else await rename(file, `${file}.kept`).then(() => symlink('/dev/full', file));
  for (let at = 0; at < 3; at++) log.write('info', 'app', `lost ${at} ${'x'.repeat(pageBytes)}`);
  if (disk.isMounted) disk.free();
  else await rename(`${file}.kept`, file);
  log.write('info', 'app', 'after');
  const lines = (await readFile(file, 'utf8')).split('\n');
  expect(lines.at(0)).toMatch(/"before"/);
  expect(JSON.parse(lines.at(-2) ?? '')).toMatchObject({ message: 'after' });
  const told = messages.filter((text) => text.startsWith('The log file is not written'));
  expect(told).toEqual([expect.stringMatching(/disk is full.*no space/)]);
  expect(messages.filter((text) => text.startsWith('lost'))).toHaveLength(3);
});

test('a database that cannot grow takes nothing more, and gives what it has', async () => {
  const open = await Workspace.open(workspace);
  disk.fill(0);
  try {
    expectFull(await createPackage('1.1.0'));
    if (disk.isMounted) expect(() => addReleases(open, 400)).toThrow(/full/);
    expect(open.list('package')).toHaveLength(1);
  } finally {
    open.close();
    disk.free();
  }
  await expectOnlyOldPackage();
});

/** A database has some room of its own: it takes many releases until that is used up. */
function addReleases(open: Workspace, count: number): void {
  const createdAt = new Date().toISOString();
  for (let at = 0; at < count; at++)
    open.addRelease({ id: `r${at}`, productId: 'SENSOR-1', version: `9.0.${at}`, createdAt });
}
