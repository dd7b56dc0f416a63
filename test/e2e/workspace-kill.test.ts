import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workspace } from '../../electron/core/workspace/workspace.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-kill-'));
  await cp('resources/sample', folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a workspace opens after SIGKILL at any moment, and every recorded package is whole', async () => {
  for (const delayMs of [150, 250, 350, 450, 600, 800]) {
    const child = spawn(
      process.execPath,
      [
        'dist/main/cli.js',
        '--workspace',
        folder,
        'bundle',
        'create',
        join(folder, 'firmware/sensor-1.0.0.bin'),
        '--product',
        'SENSOR-1',
        '--component',
        'STM32',
        '--version',
        `1.0.0-${delayMs}`,
      ],
      { stdio: 'ignore' },
    );
    const ended = new Promise((done) => child.once('exit', done));
    await new Promise((done) => setTimeout(done, delayMs));
    child.kill('SIGKILL');
    await ended;
    const workspace = await Workspace.open(folder);
    for (const pkg of workspace.list('package'))
      expect(await workspace.objects.has(pkg.sha256)).toBe(true);
    workspace.close();
  }
});
