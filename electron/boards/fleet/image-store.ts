import { readFile } from 'node:fs/promises';
import { applyPatch } from '../../../shared/delta/patch-reader.ts';
import { sha256 } from '../../files/sha256.ts';
import type { FleetConfig } from './fleet-config.ts';

const keptMaxBytes = 256 * 1024 * 1024;

/**
 * The images that devices of a fleet hold, each once however many hold it, and the results of
 * patches, so that a patch is applied once for the whole fleet.
 */
export class ImageStore {
  readonly #images = new Map<string, Buffer>();
  readonly #released = new Map<string, string>();
  readonly #claimed = new Set<string>();
  readonly #patched = new Map<string, Promise<string>>();
  #keptBytes = 0;

  /** Reads the images that devices run at the start. */
  static async load(images: FleetConfig['images']): Promise<ImageStore> {
    const store = new ImageStore();
    for (const { componentId, version, path } of images) {
      const bytes = await readFile(path);
      const hash = sha256(bytes);
      store.keep(hash, bytes);
      store.#released.set(`${componentId} ${version}`, hash);
    }
    return store;
  }

  /** SHA-256 of the image of a version, or null when it is not at hand. */
  released(componentId: string, version: string): string | null {
    return this.#released.get(`${componentId} ${version}`) ?? null;
  }

  has(sha256: string): boolean {
    return this.#images.has(sha256);
  }

  /** True for the first who asks while there is room: that one brings the bytes, and gives the claim back. */
  claim(sha256: string, sizeBytes: number): boolean {
    if (this.has(sha256) || this.#claimed.has(sha256) || !this.#hasRoom(sizeBytes)) return false;
    this.#claimed.add(sha256);
    return true;
  }

  unclaim(sha256: string): void {
    this.#claimed.delete(sha256);
  }

  /** Keeps an image as long as there is room for it. */
  keep(sha256: string, bytes: Buffer): void {
    if (this.has(sha256) || !this.#hasRoom(bytes.length)) return;
    this.#images.set(sha256, bytes);
    this.#keptBytes += bytes.length;
  }

  /** Whether this patch was applied to this image before. */
  isPatched(sourceSha256: string, patchSha256: string): boolean {
    return this.#patched.has(`${sourceSha256} ${patchSha256}`);
  }

  /**
   * Applies a patch of whatever format the product makes and gives the SHA-256 of the result; the bytes are needed only the first time.
   * @throws ProblemError `patch-format` | `patch-corrupt` | `patch-source` | `patch-unsupported`
   */
  patch(sourceSha256: string, patchSha256: string, patch: Buffer | null): Promise<string> {
    const key = `${sourceSha256} ${patchSha256}`;
    const known = this.#patched.get(key);
    if (known) return known;
    const result = this.#apply(this.#images.get(sourceSha256), patch);
    this.#patched.set(key, result);
    return result;
  }

  #hasRoom(sizeBytes: number): boolean {
    return this.#keptBytes + sizeBytes <= keptMaxBytes;
  }

  async #apply(source: Buffer | undefined, patch: Buffer | null): Promise<string> {
    if (!source || !patch) throw new Error('a patch was applied without its bytes or its source');
    const bytes = Buffer.from(applyPatch(source, patch));
    const hash = sha256(bytes);
    this.keep(hash, bytes);
    return hash;
  }
}
