import { createHmac, timingSafeEqual } from 'node:crypto';

/** 96 bits: nobody guesses it in the life of a job, and the address stays short enough for modems. */
const keyChars = 16;

/**
 * Keys in the addresses of artifacts, for devices that can send no secret with a download (LwM2M
 * Package URI): who has the address of a job may fetch its artifact, and only while the job is open.
 */
export class ArtifactKeys {
  readonly #secret: string;

  /** @param secret known to this cloud alone, and the same after a restart */
  constructor(secret: string) {
    this.#secret = secret;
  }

  keyOf(actionId: number): string {
    return createHmac('sha256', this.#secret)
      .update(`artifact ${actionId}`)
      .digest('base64url')
      .slice(0, keyChars);
  }

  /** Whether the key belongs to the job. */
  fits(actionId: number, key: string): boolean {
    const expected = Buffer.from(this.keyOf(actionId));
    const found = Buffer.from(key);
    return found.length === expected.length && timingSafeEqual(found, expected);
  }
}
