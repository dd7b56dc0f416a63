import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const folder = 'dist/renderer';
const assets = readdirSync(`${folder}/assets`);
const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8');
const scripts = assets.filter((name) => name.endsWith('.js'));

/** Names of XML vocabularies and texts of error messages: nothing that is ever fetched. */
const knownUrls = [
  'http://www.w3.org/',
  'https://react.dev/errors/',
  'https://mantine.dev/theming/colors/',
];

/** Chunks that a script imports before it runs, itself included. */
function withImports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, target] of read(`assets/${name}`).matchAll(/from\s*["']\.\/([^"']+\.js)["']/g))
    if (target) withImports(target, seen);
  for (const [, target] of read(`assets/${name}`).matchAll(/import\s*["']\.\/([^"']+\.js)["']/g))
    if (target) withImports(target, seen);
  return seen;
}

test('the page names no address outside of itself', () => {
  const urls = ['index.html', ...assets.map((name) => `assets/${name}`)]
    .filter((name) => /\.(html|js|css)$/.test(name))
    .flatMap((name) => read(name).match(/\b(?:https?|wss?|ftp):\/\/[^\s"'`)\\]+/g) ?? []);
  expect(urls.filter((url) => !knownUrls.some((known) => url.startsWith(known)))).toEqual([]);
});

test('the page holds nothing of Node, Electron or the machine', () => {
  for (const name of scripts) {
    const specifiers =
      read(`assets/${name}`).match(/(?:from|import)\s*["'][^."'][^"']*["']/g) ?? [];
    expect(specifiers, name).toEqual([]);
    expect(read(`assets/${name}`), name).not.toMatch(
      /\brequire\(\s*["']|node:(fs|net|child_process)/,
    );
  }
});

test('the first view needs at most 250 KB of compressed script', () => {
  const entry = /src="\.\/assets\/([^"]+\.js)"/.exec(read('index.html'))?.[1] ?? '';
  const view = scripts.find((name) => name.startsWith('releases-view')) ?? '';
  const first = withImports(view, withImports(entry));
  expect(first.size).toBeGreaterThan(2);
  const bytes = [...first].reduce(
    (sum, name) => sum + gzipSync(readFileSync(`${folder}/assets/${name}`)).length,
    0,
  );
  console.log(`first view: ${Math.round(bytes / 1000)} KB of compressed script`);
  expect(bytes).toBeLessThanOrEqual(250_000);
});
