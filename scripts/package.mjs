import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { electronExecutable } from './lib/electron-runtime.mjs';
import { build, setUp } from './lib/prepare.mjs';
import { run, tool } from './lib/run.mjs';

await setUp();
await build();

/** The Electron of the checkout is packaged, wherever it came from; nothing is downloaded. */
const folder = dirname(electronExecutable());
const version = readFileSync(join(folder, 'version'), 'utf8').trim().replace(/^v/, '');
process.exitCode = await run(process.execPath, [
  tool('electron-builder'),
  `-c.electronDist=${folder}`,
  `-c.electronVersion=${version}`,
  ...process.argv.slice(2),
]);
