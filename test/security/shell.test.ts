import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serveApp } from '../../electron/shell/app-protocol.ts';
import { isTrustedSender, parseEnvelope } from '../../electron/shell/envelope.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-app-'));
writeFileSync(join(folder, 'index.html'), '<meta content="__NONCE__">');
writeFileSync(join(folder, 'secret.env'), 'x');
symlinkSync('/etc/hostname', join(folder, 'link.js'));

test.each([
  ['app://studio/%2e%2e/index.html%00', 403],
  ['app://studio/..%5cindex.html', 403],
  ['app://other/index.html', 403],
  ['app://studio/secret.env', 404],
  ['app://studio/missing.js', 404],
  ['app://studio/link.js', 403],
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
