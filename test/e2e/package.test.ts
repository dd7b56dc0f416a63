import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const maxBuffer = 16 * 1024 * 1024;
/** States in the fuse wire, which are the characters 1 and 0. */
const [on, off] = [0x31, 0x30];

/** What a user installs, not what the checkout runs: an archive, fuses, addons beside it. Linux only, as everything is there. */
describe.runIf(process.platform === 'linux')('the packaged application', () => {
  let folder: string;
  let resources: string;
  let executable: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-package-'));
    const output = `-c.directories.output=${folder}`;
    await run(process.execPath, ['scripts/package.mjs', '--dir', output], { maxBuffer });
    resources = join(folder, 'linux-unpacked/resources');
    executable = join(folder, 'linux-unpacked/slipway');
    await cp('resources/sample', join(folder, 'project'), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('holds the archive, its addons and the sample project, and nothing of the runtime it came from', async () => {
    expect((await readdir(resources)).sort()).toEqual(['app.asar', 'app.asar.unpacked', 'sample']);
  });

  test('has the fuses of a product that runs its own parts as Node and nothing else', async () => {
    const wire = await getCurrentFuseWire(executable);
    expect(wire).toMatchObject({
      [FuseV1Options.RunAsNode]: on,
      [FuseV1Options.OnlyLoadAppFromAsar]: on,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: off,
      [FuseV1Options.EnableNodeCliInspectArguments]: off,
      [FuseV1Options.GrantFileProtocolExtraPrivileges]: off,
    });
  });

  test('opens its window', async () => {
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const { stdout } = await run(executable, [
      ...sandbox,
      `--user-data-dir=${join(folder, 'profile')}`,
      join(folder, 'project'),
      '--smoke',
    ]);
    expect(stdout).toMatch(/interactive in \d+ ms/);
  });

  test('parses a script with the grammar inside the archive', async () => {
    const cli = join(resources, 'app.asar/dist/main/cli.js');
    const script = join(folder, 'main.py');
    await writeFile(script, 'import utime\nx = 1 +\n');
    const inspected = run(executable, [cli, '--json', 'bundle', 'inspect', script], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
    await expect(inspected).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('line 2, column 8'),
    });
  });

  test('runs the whole line: workers, the cloud and the fleet start from inside the archive', async () => {
    const cli = join(resources, 'app.asar/dist/main/cli.js');
    const { stdout } = await run(executable, [cli, '--json', 'demo'], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      maxBuffer,
    });
    const summary = JSON.parse(stdout) as { workspace: string };
    expect(summary).toMatchObject({
      evidence: { verdict: 'pass' },
      bench: { verified: true, booted: '1.1.0' },
      rollout: { failed: 0 },
    });
    await rm(summary.workspace, { recursive: true, force: true });
  });
});
