import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { electronExecutable } from './lib/electron-runtime.mjs';
import { build, setUp } from './lib/prepare.mjs';
import { root, run, withDisplay } from './lib/run.mjs';

await setUp();
await build();

const workspace = process.env.SLIPWAY_WORKSPACE ?? join(homedir(), 'Slipway', 'sample-project');
if (!existsSync(join(workspace, 'slipway.yaml'))) {
  mkdirSync(dirname(workspace), { recursive: true });
  cpSync(join(root, 'resources/sample'), workspace, { recursive: true });
  console.log(`The sample project is in ${workspace}`);
}

const args = [root, workspace, ...process.argv.slice(2)];
if (process.platform === 'linux' && process.getuid() === 0) {
  console.log(
    'Running as root: Chromium allows this only without its sandbox (--no-sandbox). Use a normal user for real work.',
  );
  args.unshift('--no-sandbox');
}
const [command, commandArgs] = withDisplay(electronExecutable(), args);
process.exitCode = await run(command, commandArgs);
