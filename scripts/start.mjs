import { electronExecutable } from './lib/electron-runtime.mjs';
import { build, setUp } from './lib/prepare.mjs';
import { root, run, withDisplay } from './lib/run.mjs';
import { sampleProject } from './lib/sample-project.mjs';

await setUp();
await build();

const args = [root, sampleProject(), ...process.argv.slice(2)];
if (process.platform === 'linux' && process.getuid() === 0) {
  console.log(
    'Running as root: Chromium allows this only without its sandbox (--no-sandbox). Use a normal user for real work.',
  );
  args.unshift('--no-sandbox');
}
const [command, commandArgs] = withDisplay(electronExecutable(), args);
process.exitCode = await run(command, commandArgs);
