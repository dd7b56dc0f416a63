import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

interface RunningHash {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

/** Begins a hash of Node's own, as the readers of formats take it; `crc32` gives its four bytes. */
export function startHash(algorithm: string): RunningHash {
  if (algorithm === 'crc32') return startCrc32();
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
  };
}

function startCrc32(): RunningHash {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32(bytes, crc);
    },
    digest: () => {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(crc);
      return digest;
    },
  };
}
