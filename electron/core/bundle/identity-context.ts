import { createPublicKey } from 'node:crypto';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type {
  ForeignText,
  IdentityContext,
} from '../../../shared/domain/identity/examined-file.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { Component, Product } from '../../../shared/domain/product.ts';
import type { SigningKey } from '../../../shared/domain/product-identity.ts';
import { releaseHistory } from '../../../shared/domain/release-history.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { NamedPublicKey } from './mcuboot-signature.ts';
import { withHeads } from './released-heads.ts';

const longestKeyBytes = 64 * 1024;

/** What files for a component are compared with: description, public keys and records of the workspace. */
export interface KnownIdentity {
  readonly identity: IdentityContext;
  readonly publicKeys: readonly NamedPublicKey[];
}

/** Collects what the workspace knows. @throws ProblemError `public-key-invalid` */
export async function knownIdentity(
  workspace: Workspace,
  product: Product,
  component: Component,
  version: string | undefined,
): Promise<KnownIdentity> {
  return {
    identity: {
      product,
      component,
      version,
      history: await withHeads(
        releaseHistory(product.id, workspace.list('package')),
        component.id,
        workspace.objects,
      ),
      foreignTexts: foreignTexts(workspace.config.products, product, component),
      now: new Date().toISOString(),
    },
    publicKeys: await Promise.all(
      (component.signing?.keys ?? []).map((key) => readKey(workspace.folder, key)),
    ),
  };
}

/** Texts of every other component that are no text of this one too. */
function foreignTexts(
  products: readonly Product[],
  product: Product,
  component: Component,
): ForeignText[] {
  const own = new Set(component.productTexts);
  return products.flatMap(({ id, components }) =>
    components
      .filter((other) => id !== product.id || other.id !== component.id)
      .flatMap((other) =>
        (other.productTexts ?? [])
          .filter((text) => !own.has(text))
          .map((text) => ({ text, owner: `${id} ${other.id}` })),
      ),
  );
}

async function readKey(folder: string, { name, publicKey }: SigningKey): Promise<NamedPublicKey> {
  const isPem = publicKey.includes('-----BEGIN ');
  const pem = isPem ? publicKey : await readStart(name, resolve(folder, publicKey));
  // Node would take the public half of a private key and say nothing.
  if (pem.includes('PRIVATE KEY-----')) {
    throw keyProblem(name, 'it is a private key, which must not lie in a workspace.');
  }
  try {
    createPublicKey(pem);
  } catch (error) {
    throw keyProblem(name, `it is no public key in PEM: ${(error as Error).message}.`);
  }
  return { name, pem };
}

async function readStart(name: string, path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestKeyBytes));
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw keyProblem(name, `its file could not be read: ${(error as Error).message}.`);
  }
}

const keyProblem = (name: string, why: string) =>
  problem(
    'public-key-invalid',
    'A signing key cannot be used',
    `Key "${name}": ${why}`,
    'Export the public half as PEM, for example with `imgtool getpub -e pem`, and name it in slipway.yaml.',
    'usage',
  );
