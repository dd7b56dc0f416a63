import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { problem } from '../../shared/domain/problem.ts';

/** The certificate (with its chain behind it) and the key that a server shows, as PEM files. */
export interface TlsFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** What Node's TLS servers take; devices speak TLS 1.2 or 1.3. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
}

/** Reads the files and checks that they belong together. @throws ProblemError `tls-unusable` */
export async function loadTlsIdentity(files: TlsFiles): Promise<TlsIdentity> {
  const [cert, key] = await Promise.all([read(files.certificatePath), read(files.keyPath)]);
  const certificate = parsed(files.certificatePath, () => new X509Certificate(cert));
  const privateKey: KeyObject = parsed(files.keyPath, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey))
    throw unusable(
      `${files.keyPath} is not the key of the certificate in ${files.certificatePath}.`,
    );
  return { cert, key, minVersion: 'TLSv1.2' };
}

/** A warning when devices will refuse the certificate because of its dates, or null. */
export function certificateWarning({ cert }: TlsIdentity, nowMs: number): string | null {
  const { validFrom, validTo } = new X509Certificate(cert);
  if (nowMs < Date.parse(validFrom)) return `The certificate is valid only from ${validFrom}.`;
  if (nowMs > Date.parse(validTo)) return `The certificate has expired on ${validTo}.`;
  return null;
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unusable((error as Error).message);
  }
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unusable(`${path}: ${(error as Error).message}`);
  }
}

function unusable(detail: string): Error {
  return problem(
    'tls-unusable',
    'TLS cannot be served with these files',
    detail,
    'Give a PEM certificate with --tls-cert and its unencrypted PEM key with --tls-key.',
    'usage',
  );
}
