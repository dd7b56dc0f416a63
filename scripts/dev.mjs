import { electronExecutable } from './lib/electron-runtime.mjs';
import { setUp } from './lib/prepare.mjs';
import { join } from 'node:path';
import { root, run, tool, withDisplay } from './lib/run.mjs';

await setUp();
const noSandbox = process.platform === 'linux' && process.getuid() === 0 ? ['--noSandbox'] : [];
const [command, args] = withDisplay(process.execPath, [
  tool('electron-vite'),
  'dev',
  '--watch',
  ...noSandbox,
  '--',
  join(root, 'resources/sample'),
]);
process.exitCode = await run(command, args, {
  env: { ...process.env, ELECTRON_EXEC_PATH: electronExecutable() },
});
