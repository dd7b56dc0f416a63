import { createHash, randomUUID } from 'node:crypto';
import { type ReadStream, createReadStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { problem } from '../../../shared/domain/problem.ts';
import { sha256 } from '../../files/sha256.ts';
import { renameDurably } from '../../files/atomic-file.ts';

/** Checksums of a received artifact; MD5 and SHA-1 only because DDI clients may ask for them. */
export interface ArtifactHashes {
  readonly sha256: string;
  readonly sha1: string;
  readonly md5: string;
}

const cachedArtifactMaxBytes = 32 * 1024 * 1024;
const cacheBudgetBytes = 64 * 1024 * 1024;

interface Cached {
  readonly sizeBytes: number;
  readonly loading: Promise<Buffer>;
  /** Null until it is loaded. */
  bytes: Buffer | null;
}

/** Artifacts as files named by their SHA-256; small ones are served from memory while they are in demand. */
export class ArtifactStore {
  readonly #folder: string;
  /** Least recently used first. */
  readonly #cache = new Map<string, Cached>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens the folder and removes what an interrupted upload left. */
  static async open(folder: string): Promise<ArtifactStore> {
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder))
      if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true });
    return new ArtifactStore(folder);
  }

  async remove(sha256: string): Promise<void> {
    this.#cache.delete(sha256);
    await rm(this.#path(sha256), { force: true });
  }

  async has(sha256: string, sizeBytes: number): Promise<boolean> {
    const found = await stat(this.#path(sha256)).catch(() => null);
    return found !== null && found.size === sizeBytes;
  }

  /**
   * Receives an artifact: hashed while it arrives, kept only when size and SHA-256 are as announced.
   * @throws ProblemError `artifact-size`, `artifact-hash`
   */
  async receive(
    source: AsyncIterable<Buffer>,
    expected: { readonly sha256: string; readonly sizeBytes: number },
  ): Promise<ArtifactHashes> {
    const temporary = join(this.#folder, `${randomUUID()}.tmp`);
    const sums = ['sha256', 'sha1', 'md5'].map((name) => createHash(name));
    let sizeBytes = 0;
    try {
      const out = await open(temporary, 'wx', 0o600);
      try {
        await readWhole(source, async (chunk) => {
          sizeBytes += chunk.length;
          if (sizeBytes > expected.sizeBytes) throw wrongSize(expected.sizeBytes, sizeBytes);
          for (const sum of sums) sum.update(chunk);
          await out.writeFile(chunk);
        });
        await out.sync();
      } finally {
        await out.close();
      }
      if (sizeBytes !== expected.sizeBytes) throw wrongSize(expected.sizeBytes, sizeBytes);
      const [sha256 = '', sha1 = '', md5 = ''] = sums.map((sum) => sum.digest('hex'));
      if (sha256 !== expected.sha256) {
        throw problem(
          'artifact-hash',
          'The artifact is not the announced one',
          `Its SHA-256 is ${sha256}, announced was ${expected.sha256}.`,
          'Upload it again; if it happens again, check the file.',
        );
      }
      await renameDurably(temporary, this.#path(sha256));
      return { sha256, sha1, md5 };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Bytes `start` to `end` inclusive, from memory when the artifact is small enough, else as a stream with a descriptor of its own. */
  async read(
    artifact: { readonly sha256: string; readonly sizeBytes: number },
    start: number,
    end: number,
  ): Promise<Buffer | ReadStream> {
    if (artifact.sizeBytes <= cachedArtifactMaxBytes)
      return (await this.#cached(artifact)).subarray(start, end + 1);
    const stream = createReadStream(this.#path(artifact.sha256), {
      start,
      end,
      highWaterMark: 256 * 1024,
    });
    await new Promise<void>((done, fail) => stream.once('open', () => done()).once('error', fail));
    return stream;
  }

  /** The whole artifact if it is in memory now, else null. */
  held(sha256: string): Buffer | null {
    return this.#cache.get(sha256)?.bytes ?? null;
  }

  async #cached({ sha256, sizeBytes }: { sha256: string; sizeBytes: number }): Promise<Buffer> {
    const entry = this.#cache.get(sha256) ?? this.#begin(sha256, sizeBytes);
    this.#cache.delete(sha256);
    this.#cache.set(sha256, entry);
    let heldBytes = [...this.#cache.values()].reduce((sum, cached) => sum + cached.sizeBytes, 0);
    for (const [key, cached] of this.#cache) {
      if (heldBytes <= cacheBudgetBytes) break;
      heldBytes -= cached.sizeBytes;
      this.#cache.delete(key);
    }
    return entry.loading;
  }

  #begin(sha256: string, sizeBytes: number): Cached {
    const entry: Cached = { sizeBytes, loading: this.#load(sha256), bytes: null };
    entry.loading.then(
      (bytes) => {
        entry.bytes = bytes;
      },
      () => {
        if (this.#cache.get(sha256) === entry) this.#cache.delete(sha256);
      },
    );
    return entry;
  }

  async #load(expected: string): Promise<Buffer> {
    const bytes = await readFile(this.#path(expected));
    const found = sha256(bytes);
    if (found !== expected) {
      throw problem(
        'artifact-damaged',
        'A stored artifact is damaged',
        `${this.#path(expected)} now has SHA-256 ${found}.`,
        'Delete that file and upload the package again.',
      );
    }
    return bytes;
  }

  #path(sha256: string): string {
    return join(this.#folder, sha256);
  }
}

/**
 * Reads to the end also when `take` fails, and fails then: a sender that shares the connection with
 * later requests reads the answer only after it has sent everything.
 */
async function readWhole(
  source: AsyncIterable<Buffer>,
  take: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  let failure: { readonly error: unknown } | null = null;
  for await (const chunk of source) {
    if (failure) continue;
    try {
      await take(chunk);
    } catch (error) {
      failure = { error };
    }
  }
  if (failure) throw failure.error;
}

function wrongSize(expected: number, found: number): Error {
  return problem(
    'artifact-size',
    'The artifact has another size than announced',
    `Announced were ${expected} bytes, received ${found > expected ? `more than ${expected}` : found}.`,
    'Upload it again; if it happens again, check the file.',
  );
}
