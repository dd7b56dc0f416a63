import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from './peers.ts';

/** A certificate authority of the test, made with openssl. */
export class TestAuthority {
  readonly caPath: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.caPath = join(folder, 'ca.pem');
  }

  static async make(folder: string): Promise<TestAuthority> {
    const authority = new TestAuthority(folder);
    await openssl(`req -x509 ${ecKey} -nodes -days 30 -subj /CN=test-authority`, [
      '-keyout',
      join(folder, 'ca.key'),
      '-out',
      authority.caPath,
    ]);
    return authority;
  }

  /** Signs a certificate for loopback. @returns the paths of certificate and key */
  async issue(name: string, days = 30): Promise<{ certificatePath: string; keyPath: string }> {
    const [certificatePath, keyPath, request, extension] = ['pem', 'key', 'csr', 'ext'].map((end) =>
      join(this.#folder, `${name}.${end}`),
    ) as [string, string, string, string];
    await writeFile(extension, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    await openssl(`req ${ecKey} -new -nodes -subj /CN=${name}`, [
      '-keyout',
      keyPath,
      '-out',
      request,
    ]);
    const signer = ['-CA', this.caPath, '-CAkey', join(this.#folder, 'ca.key')];
    await openssl(`x509 -req -days ${days}`, [
      ...signer,
      '-in',
      request,
      '-extfile',
      extension,
      '-out',
      certificatePath,
    ]);
    return { certificatePath, keyPath };
  }
}

const ecKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256';

/** Runs openssl; paths are given apart from the words, as they may hold spaces. */
async function openssl(words: string, paths: readonly string[]): Promise<void> {
  const { code, stderr } = await peer('openssl', [...words.split(' '), ...paths]);
  if (code !== 0) throw new Error(stderr);
}
