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
import { fetchPackage, run } from '../support/registry-packages.ts';

/** Two versions of one image. */
export interface Pair {
  readonly name: string;
  readonly origin: string;
  readonly sourcePath: string;
  readonly targetPath: string;
}

/** Kept between runs, never committed. */
const folder = resolve('test/artifacts/corpus');

interface Origin {
  readonly name: string;
  readonly origin: string;
  /** Fetches the older (0) or the newer (1) version. */
  readonly fetch: (version: 0 | 1, work: string) => Promise<Buffer> | Buffer;
  /** SHA-256 of both, so that other bytes under the same version are noticed. */
  readonly sha256: readonly [string, string];
}

const origins: readonly Origin[] = [
  {
    name: 'movehub',
    origin: 'npm @pybricks/firmware 7.22.0 to 7.28.0, STM32F0',
    fetch: (version, work) => fromNpm(version, work, 'movehub.zip'),
    sha256: [
      'cffd9c96d19045613f6ea7593e1aaef78909833193a29a28aa065ad2cb37cac9',
      'a7a4c4f78c369a66a20e150e44bfd7c96d7ba7ed60f2ecce4d27001a9bddd7fb',
    ],
  },
  {
    name: 'primehub',
    origin: 'npm @pybricks/firmware 7.22.0 to 7.28.0, STM32F4',
    fetch: (version, work) => fromNpm(version, work, 'primehub.zip'),
    sha256: [
      '1d2ccf6b71e121c7768e704343420de18b1c6ff6cba4cf896660ab1753d664af',
      'e5fd8bbd1030d7db5569b40f0758184ac04175c156ef2c4f72130bfd9e4c6316',
    ],
  },
  {
    name: 'ovmf',
    origin: 'Debian ovmf 2022.11-6+deb12u1 to u2, UEFI with a packed volume',
    fetch: (version, work) => {
      const file = 'usr/share/OVMF/OVMF_CODE_4M.fd';
      return fromDebian(
        'ovmf',
        version === 0 ? '2022.11-6+deb12u1' : '2022.11-6+deb12u2',
        work,
        file,
      );
    },
    sha256: [
      '97bc52c47e3b69b0096df54315525543905d757c4e9fa15813bf81e652eb2de4',
      'b157d97b1f69729514feb7f201d2cbe4957f23ab77920e361fe9f822ba49ca4c',
    ],
  },
  {
    name: 'grub',
    origin: 'Debian grub-efi-amd64-bin 2.06-13+deb12u1 to u2, boot loader',
    fetch: (version, work) =>
      fromDebian(
        'grub-efi-amd64-bin',
        version === 0 ? '2.06-13+deb12u1' : '2.06-13+deb12u2',
        work,
        'usr/lib/grub/x86_64-efi/monolithic/grubx64.efi',
      ),
    sha256: [
      '1e239dbdc8bdcdf9e992e0f91cad2b61bf538a68e21ae1aab1cf96c664e73e74',
      '777c2879db15c6c4a2ccd618575d37312a09ce65092adac5cf5d580c6bb03479',
    ],
  },
  {
    name: 'grub-tar',
    origin: 'the same packages, all files as a tar',
    fetch: (version, work) =>
      fromDebian(
        'grub-efi-amd64-bin',
        version === 0 ? '2.06-13+deb12u1' : '2.06-13+deb12u2',
        work,
        null,
      ),
    sha256: [
      'd06b002ae0ef9c676a2fddae8b716e8f75c93386cfabc91c859cb6d6cdeb4691',
      '94872c0b17077bde43e6d33d8054577d02dfb91bfdcc61de39662cae8d52a97e',
    ],
  },
];

async function fromNpm(version: 0 | 1, work: string, archive: string): Promise<Buffer> {
  const pkg = {
    registry: 'npm',
    name: '@pybricks/firmware',
    version: version === 0 ? '7.22.0' : '7.28.0',
  } as const;
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

function fromDebian(name: string, version: string, work: string, file: string | null): Buffer {
  const options = { cwd: work, stdio: 'pipe', maxBuffer: 1 << 28 } as const;
  const deb = fetchPackage({ registry: 'debian', name, version }, work);
  if (file === null) return execFileSync('dpkg-deb', ['--fsys-tarfile', deb], options);
  execFileSync('dpkg-deb', ['-x', deb, 'content'], options);
  return readFileSync(join(work, 'content', file));
}

async function fetchOnce(origin: Origin, version: 0 | 1): Promise<string> {
  const path = join(folder, `${origin.name}.${version === 0 ? 'old' : 'new'}`);
  if (!existsSync(path)) {
    const work = mkdtempSync(join(tmpdir(), 'slipway-corpus-'));
    try {
      writeFileSync(`${path}.tmp`, await origin.fetch(version, work));
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
  for (const origin of origins) {
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
