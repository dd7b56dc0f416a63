import { electronExecutable } from './lib/electron-runtime.mjs';
import { setUp } from './lib/prepare.mjs';
import { run, tool, withDisplay } from './lib/run.mjs';
import { sampleProject } from './lib/sample-project.mjs';

await setUp();
const noSandbox = process.platform === 'linux' && process.getuid() === 0 ? ['--noSandbox'] : [];
const [command, args] = withDisplay(process.execPath, [
  tool('electron-vite'),
  'dev',
  '--watch',
  ...noSandbox,
  '--',
  sampleProject(),
]);
process.exitCode = await run(command, args, {
  env: { ...process.env, ELECTRON_EXEC_PATH: electronExecutable() },
});
