import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DeviceHttp } from './device-http.ts';
import type { Slots } from '../../../shared/domain/slots.ts';
import { backoffMs, type Timers } from './timers.ts';

/** Answers in a row that bring no further byte before a device gives up. */
const maxBarrenAnswers = 4;

/** What trying again cannot help, with the code that the device reports. */
export class InstallFailure extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`the update failed: ${code}`);
    this.name = 'InstallFailure';
    this.code = code;
  }
}

/** What is to be downloaded. */
export interface Artifact {
  readonly url: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

interface Transfer {
  readonly artifact: Artifact;
  readonly secret: string;
  readonly onBytes: (receivedBytes: number) => void;
  /** The bytes so far, when they are wanted. */
  readonly chunks: Buffer[] | null;
  hash: ReturnType<typeof createHash>;
  receivedBytes: number;
}

/** Downloads artifacts as devices do: streamed and hashed, taken up again where a connection broke. */
export class Downloader {
  readonly #http: DeviceHttp;
  readonly #slots: Slots;
  readonly #timers: Timers;

  constructor(http: DeviceHttp, slots: Slots, timers: Timers) {
    this.#http = http;
    this.#slots = slots;
    this.#timers = timers;
  }

  /**
   * Downloads until every byte is there, however long the cloud is away, and gives the SHA-256 of
   * what arrived, with the bytes themselves when they are to be kept.
   * @throws InstallFailure `size-mismatch`, `range-mismatch`, `download-stalled`, `http-404` and the like
   */
  async fetch(
    artifact: Artifact,
    secret: string,
    options: { readonly keep: boolean; readonly onBytes: (receivedBytes: number) => void },
  ): Promise<{ sha256: string; bytes: Buffer | null }> {
    const transfer: Transfer = {
      artifact,
      secret,
      onBytes: options.onBytes,
      chunks: options.keep ? [] : null,
      hash: createHash('sha256'),
      receivedBytes: 0,
    };
    let failures = 0;
    let barrenAnswers = 0;
    while (transfer.receivedBytes < artifact.sizeBytes) {
      const before = transfer.receivedBytes;
      const broke = await this.#slots.hold(1, () => this.#attempt(transfer));
      if (broke === null) continue;
      const advanced = transfer.receivedBytes > before;
      failures = advanced ? 1 : failures + 1;
      barrenAnswers = advanced ? 0 : barrenAnswers + (broke === 'answer' ? 1 : 0);
      if (barrenAnswers >= maxBarrenAnswers) throw new InstallFailure('download-stalled');
      await this.#timers.sleep(backoffMs(failures));
    }
    return {
      sha256: transfer.hash.digest('hex'),
      bytes: transfer.chunks && Buffer.concat(transfer.chunks),
    };
  }

  /** Null when the answer was read to its end, else what broke: the connection, or the answer on it. */
  async #attempt(transfer: Transfer): Promise<'connection' | 'answer' | null> {
    const { artifact, secret, receivedBytes } = transfer;
    let response: IncomingMessage;
    try {
      const resume = { range: `bytes=${receivedBytes}-`, 'if-range': `"${artifact.sha256}"` };
      response = await this.#http.open({
        method: 'GET',
        url: artifact.url,
        secret,
        headers: receivedBytes > 0 ? resume : {},
      });
    } catch {
      return 'connection';
    }
    if ((response.statusCode ?? 0) >= 500) {
      response.resume();
      return 'answer';
    }
    checkAnswer(response, transfer);
    try {
      for await (const chunk of response) take(transfer, chunk as Buffer);
    } catch (error) {
      if (error instanceof InstallFailure) throw error;
      return 'answer';
    }
    return transfer.receivedBytes > receivedBytes ? null : 'answer';
  }
}

/** Takes up the answer from where it begins; a whole file in answer to a range begins anew. */
function checkAnswer(response: IncomingMessage, transfer: Transfer): void {
  const { statusCode = 0, headers } = response;
  if (statusCode === 206 && transfer.receivedBytes > 0) {
    const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1];
    if (Number(start) === transfer.receivedBytes) return;
    response.destroy();
    throw new InstallFailure('range-mismatch');
  }
  if (statusCode === 200) {
    transfer.hash = createHash('sha256');
    transfer.receivedBytes = 0;
    transfer.chunks?.splice(0);
    return;
  }
  response.resume();
  throw new InstallFailure(statusCode === 416 ? 'size-mismatch' : `http-${statusCode}`);
}

function take(transfer: Transfer, chunk: Buffer): void {
  transfer.receivedBytes += chunk.length;
  if (transfer.receivedBytes > transfer.artifact.sizeBytes)
    throw new InstallFailure('size-mismatch');
  transfer.hash.update(chunk);
  transfer.chunks?.push(chunk);
  transfer.onBytes(transfer.receivedBytes);
}
