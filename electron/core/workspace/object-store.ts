import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { renameDurably } from '../../files/atomic-file.ts';
import { copyHashed } from '../../files/hashed-copy.ts';

/** Images and recordings as files named by their SHA-256; writing is temporary name, fsync, rename. */
export class ObjectStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), sha256.slice(2));
  }

  async has(sha256: string): Promise<boolean> {
    return (await stat(this.path(sha256)).catch(() => null)) !== null;
  }

  /** Copies a file in and returns its SHA-256 and size in bytes. */
  async add(source: string, context: WorkContext): Promise<{ sha256: string; sizeBytes: number }> {
    await mkdir(this.#folder, { recursive: true });
    const total = (await stat(source)).size;
    const temporary = join(this.#folder, `${randomUUID()}.tmp`);
    let done = 0;
    try {
      const { sha256, sizeBytes } = await copyHashed(source, temporary, {
        signal: context.signal,
        onBytes: (count) => {
          done += count;
          context.onProgress({ step: 'Storing', done, total, unit: 'bytes' });
        },
      });
      await mkdir(join(this.#folder, sha256.slice(0, 2)), { recursive: true });
      await renameDurably(temporary, this.path(sha256));
      return { sha256, sizeBytes };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

/** SHA-256 (hex) and size in bytes of a file, read in bounded chunks. */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, {
    highWaterMark: 1 << 20,
    ...(signal ? { signal } : {}),
  })) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
