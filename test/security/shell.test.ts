import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serveApp } from '../../electron/shell/app-protocol.ts';
import { isTrustedSender, parseEnvelope } from '../../electron/shell/envelope.ts';
import { FileHandles } from '../../electron/shell/file-handles.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-app-'));
writeFileSync(join(folder, 'index.html'), '<meta content="__NONCE__">');
writeFileSync(join(folder, 'secret.env'), 'x');
writeFileSync(`${folder}-beside.js`, 'x');
symlinkSync('/etc/hostname', join(folder, 'link.js'));
symlinkSync(`${folder}-beside.js`, join(folder, 'beside.js'));
mkdirSync(join(folder, 'folder.js'));

test.each([
  ['app://studio/%2e%2e/index.html%00', 403],
  ['app://studio/..%5cindex.html', 403],
  ['app://other/index.html', 403],
  ['app://studio/secret.env', 404],
  ['app://studio/missing.js', 404],
  ['app://studio/link.js', 403],
  ['app://studio/beside.js', 403],
  ['app://studio/folder.js', 404],
  ['app://studio/%zz.js', 403],
  ['app://studio:81/index.html', 403],
  ['app://studio/index.html/../../x.js', 404],
])('%s is refused with %i', async (url, status) => {
  expect((await serveApp(new Request(url), folder)).status).toBe(status);
});

test('only GET is served, with a fresh nonce and no unsafe source', async () => {
  expect((await serveApp(new Request('app://studio/', { method: 'POST' }), folder)).status).toBe(
    405,
  );
  const [first, second] = await Promise.all(
    [1, 2].map(() => serveApp(new Request('app://studio/'), folder)),
  );
  const policy = first?.headers.get('Content-Security-Policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-/);
  expect(policy).not.toMatch(/unsafe/);
  expect(policy).not.toBe(second?.headers.get('Content-Security-Policy'));
  expect(await first?.text()).not.toContain('__NONCE__');
});

test('only the main frame of the own window and origin is trusted', () => {
  const frame = { parent: null, url: 'app://studio/' };
  expect(isTrustedSender({ frame, contentsId: 1 }, 1, 'app://studio')).toBe(true);
  for (const forged of [
    { frame: null, contentsId: 1 },
    { frame: { ...frame, parent: {} }, contentsId: 1 },
    { frame: { ...frame, url: 'app://studio.evil/' }, contentsId: 1 },
    { frame, contentsId: 2 },
  ]) {
    expect(isTrustedSender(forged, 1, 'app://studio')).toBe(false);
  }
});

test('no envelope makes the parser throw', () => {
  fc.assert(fc.property(fc.anything(), (raw) => typeof parseEnvelope(raw).ok === 'boolean'));
});

test('a file handle opens the file that was granted, for reading, and nothing else does', () => {
  const files = new FileHandles();
  const path = join(folder, 'index.html');
  const { handle, name } = files.grant(path);
  expect(name).toBe('index.html');
  expect(files.resolve(handle, 'read')).toBe(path);
  const code = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return (error as { problem?: { code?: string } }).problem?.code;
    }
  };
  expect(code(() => files.resolve(handle, 'write'))).toBe('file-not-granted');
  expect(code(() => files.resolve(path, 'read'))).toBe('file-not-granted');
  expect(code(() => files.resolve('file:0', 'read'))).toBe('file-not-granted');
  for (const refused of [folder, join(folder, 'missing'), '', '/dev/null'])
    expect(code(() => files.grant(refused))).toBe('not-a-file');
});

test('a target is written once and never read, and a file that was picked is never a target', () => {
  const files = new FileHandles();
  const path = join(folder, 'index.html');
  const { handle, name } = files.grantTarget(path);
  expect(name).toBe('index.html');
  expect(files.resolve(handle, 'write')).toBe(path);
  expect(() => files.resolve(handle, 'write')).toThrow(/was not picked/);
  const unread = files.grantTarget(path).handle;
  expect(() => files.resolve(unread, 'read')).toThrow(/was not picked/);
  expect(() => files.resolve(files.grant(path).handle, 'write')).toThrow(/was not picked/);
});

test('the oldest handles expire when very many files have been granted', () => {
  const files = new FileHandles();
  const path = join(folder, 'index.html');
  const first = files.grant(path).handle;
  for (let count = 0; count < 10_000; count++) files.grant(path);
  expect(() => files.resolve(first, 'read')).toThrow(/was not picked/);
});

test('there is one window, made with exactly the walls, and one folder that imports Electron', () => {
  const sources = ['electron', 'renderer', 'shared']
    .flatMap((top) =>
      readdirSync(top, { recursive: true, encoding: 'utf8' }).map((path) => `${top}/${path}`),
    )
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }));
  const holding = (pattern: RegExp): string[] =>
    sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  expect(holding(/new BrowserWindow\(/)).toEqual(['electron/shell/window.ts']);
  expect(holding(/\.\.\.windowSecurity/)).toEqual(['electron/shell/window.ts']);
  expect(holding(/openExternal/)).toEqual([]);
  expect(
    holding(/from 'electron'/).filter((path) => !/^electron\/(shell|preload)\//.test(path)),
  ).toEqual([]);
  expect(holding(/dangerouslySetInnerHTML|\beval\(|new Function\(/)).toEqual([]);
});
