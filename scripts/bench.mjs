import { electronExecutable } from './lib/electron-runtime.mjs';
import { build, setUp } from './lib/prepare.mjs';
import { run, tool, withDisplay } from './lib/run.mjs';

const name = process.argv[2];
if (!name) throw new Error('Usage: node scripts/bench.mjs NAME (as in npm run bench:NAME)');
await setUp({ tests: true, benches: true });
await build();
const [command, args] = withDisplay(process.execPath, [
  tool('vitest'),
  'run',
  '--config',
  'vitest.bench.config.ts',
  `test/bench/${name}.bench.ts`,
]);
process.exitCode = await run(command, args, {
  env: { ...process.env, SLIPWAY_ELECTRON: electronExecutable() ?? '' },
});
