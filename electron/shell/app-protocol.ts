import { randomBytes } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

export const appScheme = 'app';
export const appOrigin = 'app://studio';

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** The window's content security policy; the nonce is for the component library's own style elements. */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');
}

/**
 * Serves the built renderer, and nothing else, to `app://studio/`.
 * Pure but for reading files below `folder`; everything unexpected is refused with 403, 404 or 405.
 */
export async function serveApp(request: Request, folder: string): Promise<Response> {
  if (request.method !== 'GET') return refuse(405);
  const url = new URL(request.url);
  if (url.protocol !== `${appScheme}:` || url.host !== 'studio') return refuse(403);
  const name = decodePath(url.pathname);
  if (name === null) return refuse(403);
  const type = contentTypes[extname(name)];
  if (!type) return refuse(404);
  const root = await realpath(folder);
  const path = await realpath(join(root, name)).catch(() => null);
  if (path === null) return refuse(404);
  if (!path.startsWith(root + sep)) return refuse(403);
  const headers: Record<string, string> = {
    'Content-Type': type,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) return refuse(404);
  if (extname(name) !== '.html') return new Response(new Uint8Array(bytes), { headers });
  const nonce = randomBytes(16).toString('base64');
  headers['Content-Security-Policy'] = contentSecurityPolicy(nonce);
  return new Response(bytes.toString('utf8').replaceAll('__NONCE__', nonce), { headers });
}

function decodePath(pathname: string): string | null {
  try {
    const decoded = decodeURIComponent(pathname);
    if (decoded.includes('\0') || decoded.includes('\\') || decoded.split('/').includes('..'))
      return null;
    return decoded === '/' ? '/index.html' : decoded;
  } catch {
    return null;
  }
}

const refuse = (status: number): Response => new Response(null, { status });
