import { electronExecutable } from './lib/electron-runtime.mjs';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, setUp } from './lib/prepare.mjs';
import { root, run, tool, withDisplay } from './lib/run.mjs';

await setUp({ tests: true });
await build();

const failures = [];
for (const check of ['lint', 'format:check', 'typecheck']) {
  const code = await run('npm', ['run', '--silent', check], {
    shell: process.platform === 'win32',
  });
  if (code !== 0) failures.push(check);
}

mkdirSync(join(root, 'test/artifacts'), { recursive: true });
const report = join(root, 'test/artifacts/results.json');
rmSync(report, { force: true });
const [command, args] = withDisplay(process.execPath, [
  tool('vitest'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);
const vitestCode = await run(command, args, {
  env: { ...process.env, SLIPWAY_ELECTRON: electronExecutable() ?? '' },
});
const results = JSON.parse(readFileSync(report, 'utf8'));

if (failures.length > 0) console.error(`Failed checks: ${failures.join(', ')}`);
console.log(`${results.numPassedTests} passed, ${results.numFailedTests + failures.length} failed`);
process.exitCode = vitestCode !== 0 || failures.length > 0 ? 1 : 0;
