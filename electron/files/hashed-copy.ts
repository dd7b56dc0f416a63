import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

const chunkBytes = 1 << 20;

/**
 * Copies a file into a new one, hashing what it copies, and has it on disk when it resolves. What was
 * written stays when it fails. `mode` is that of the new file, the system's usual one unless given;
 * `onBytes` hears the bytes of each piece.
 */
export async function copyHashed(
  from: string,
  to: string,
  options: {
    readonly signal: AbortSignal;
    readonly mode?: number;
    readonly onBytes: (sizeBytes: number) => void;
  },
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const out = await open(to, 'wx', options.mode);
  try {
    const source = createReadStream(from, { highWaterMark: chunkBytes, signal: options.signal });
    for await (const chunk of source as AsyncIterable<Buffer>) {
      hash.update(chunk);
      // Unlike write, writeFile goes on after a short write, so that a full disk is an error.
      await out.writeFile(chunk);
      sizeBytes += chunk.length;
      options.onBytes(chunk.length);
    }
    await out.sync();
  } finally {
    await out.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
