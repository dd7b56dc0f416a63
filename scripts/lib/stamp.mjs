import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './run.mjs';

const stampFile = (name) => join(root, 'node_modules/.slipway-stamps', name);

/** SHA-256 over names and contents of files and folders of the checkout. */
export function fingerprint(paths) {
  const hash = createHash('sha256');
  const add = (path) => {
    const info = statSync(join(root, path), { throwIfNoEntry: false });
    if (!info) return;
    if (info.isDirectory())
      for (const name of readdirSync(join(root, path)).sort()) add(`${path}/${name}`);
    else hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  };
  for (const path of paths) add(path);
  return hash.digest('hex');
}

/** Does the work unless it was done for the same fingerprint and its result is still there. */
export async function unlessDone(name, value, result, work) {
  const file = stampFile(name);
  const known = existsSync(file) ? readFileSync(file, 'utf8') : null;
  if (known === value && existsSync(join(root, result))) return;
  await work();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, value);
}
