import { createHash } from 'node:crypto';

/** Begins a hash of Node's own, as the readers of formats take it. */
export function startHash(algorithm: string): {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
} {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
  };
}
