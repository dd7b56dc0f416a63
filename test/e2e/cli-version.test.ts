import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { version } from '../../package.json' with { type: 'json' };

const run = promisify(execFile);

test('--version is the version of the program, or of what a command makes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-version-'));
  try {
    await cp('resources/sample', folder, { recursive: true });
    const cli = 'dist/main/cli.js';
    const own = await run(process.execPath, [cli, '--version']);
    expect(own.stdout.trim()).toBe(version);
    const image = join(folder, 'firmware/sensor-1.1.0.bin');
    const where = ['--workspace', folder, '--product', 'SENSOR-1', '--component', 'STM32'];
    const create = [cli, 'bundle', 'create', image, ...where, '--version', '1.1.0', '--json'];
    const { stdout } = await run(process.execPath, create);
    expect(JSON.parse(stdout)).toMatchObject({ targetVersion: '1.1.0' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
