import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryPath } from '../../electron/worker/run-task.ts';

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

/** The packages that a command has loaded from node_modules, as its code coverage tells. */
function packagesLoadedBy(...args: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-start-'));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    spawnSync(process.execPath, [entryPath('cli'), ...args], { env });
    const reports = readdirSync(folder).map(
      (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage,
    );
    expect(reports.length).toBeGreaterThan(0);
    const urls = reports.flatMap(({ result }) => result.map(({ url }) => url));
    expect(urls.some((url) => url.endsWith('/cli.js'))).toBe(true);
    return [...new Set(urls.flatMap((url) => /node_modules\/([^/]+)/.exec(url)?.[1] ?? []))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.each([
  ['help', ['--help']],
  ['a delta of single files', ['delta', 'make', 'no-source', 'no-target', '-o', 'no-patch']],
])('%s loads no package that it does not use', (_what, args) => {
  expect(packagesLoadedBy(...args)).toEqual([]);
});
