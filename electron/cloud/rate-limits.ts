import { RateLimiterMemory } from 'rate-limiter-flexible';
import { problem } from '../../shared/domain/problem.ts';

const windowSec = 60;
/** A device at work sends about ten in a few seconds; this is far more, and nothing to the cloud. */
const requestsPerDevice = 600;
/** Secrets have 256 bits: the limit keeps the noise down, guessing is hopeless anyway. */
const failuresPerAddress = 120;

/** Keeps one device, or one machine without a valid secret, from taking the cloud for itself. */
export class RateLimits {
  readonly #requests = new RateLimiterMemory({ points: requestsPerDevice, duration: windowSec });
  readonly #failures = new RateLimiterMemory({ points: failuresPerAddress, duration: windowSec });

  /** Counts a message of a device; downloads are not counted. @throws ProblemError `too-many-requests` */
  async ofDevice(deviceId: string): Promise<void> {
    await this.#count(
      this.#requests,
      deviceId,
      `${deviceId} sent more than ${requestsPerDevice} messages within a minute.`,
    );
  }

  /** Counts a login that was refused. @throws ProblemError `too-many-requests` */
  async ofFailure(address: string): Promise<void> {
    await this.#count(
      this.#failures,
      address,
      `${address} failed to log in more than ${failuresPerAddress} times within a minute.`,
    );
  }

  async #count(limiter: RateLimiterMemory, key: string, detail: string): Promise<void> {
    try {
      await limiter.consume(key);
    } catch (error) {
      if (error instanceof Error) throw error;
      throw problem(
        'too-many-requests',
        'That is too much at a time',
        detail,
        'Wait a minute.',
        'usage',
      );
    }
  }
}
