import { Worker } from 'node:worker_threads';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { exchangeBytes, type RarEngineData, type RarRequest } from '../../worker/rar-protocol.ts';
import { entryPath } from '../../worker/run-task.ts';

/** 128 MiB: the largest dictionary that is let through, and the engine's own needs. */
const mostPages = 2048;
const quietMs = 30_000;

/** The engine stopped, or said nothing for too long. */
export class RarEngineLost extends Error {}

/** One run of the RAR engine over an archive, in a thread of its own that can be ended at any time. */
export class RarSession {
  readonly #source: ByteSource;
  readonly #quietMs: number;
  readonly #shared = new SharedArrayBuffer(8 + exchangeBytes);
  readonly #words = new Int32Array(this.#shared, 0, 2);
  readonly #data = new Uint8Array(this.#shared, 8, exchangeBytes);
  readonly #worker: Worker;
  readonly #requests: (RarRequest | RarEngineLost)[] = [];
  #wake: (() => void) | undefined;

  constructor(source: ByteSource, options: { readonly quietMs?: number } = {}) {
    this.#source = source;
    this.#quietMs = options.quietMs ?? quietMs;
    const workerData: RarEngineData = {
      shared: this.#shared,
      archiveBytes: source.sizeBytes,
      mostPages,
    };
    this.#worker = new Worker(entryPath('rar-engine'), { workerData });
    this.#worker.on('message', (request: RarRequest) => this.#put(request));
    this.#worker.on('error', (error) => this.#put(new RarEngineLost(error.message)));
    this.#worker.on('exit', () => this.#put(new RarEngineLost('the engine stopped')));
  }

  /** What the engine tells next; it goes on when {@link goOn} is called. @throws RarEngineLost */
  async next(): Promise<Exclude<RarRequest, { kind: 'read' }>> {
    for (;;) {
      const request = await this.#take();
      if (request instanceof RarEngineLost) throw request;
      if (request.kind !== 'read') return request;
      const bytes = await this.#source.read(request.offset, request.length);
      this.#data.set(bytes);
      this.goOn(bytes.length);
    }
  }

  /** A copy of the data of the present request. */
  data(length: number): Buffer {
    return Buffer.from(this.#data.subarray(0, length));
  }

  /** Answers the present request. */
  goOn(result = 0): void {
    Atomics.store(this.#words, 1, result);
    Atomics.store(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #put(request: RarRequest | RarEngineLost): void {
    this.#requests.push(request);
    this.#wake?.();
  }

  async #take(): Promise<RarRequest | RarEngineLost> {
    let timer: NodeJS.Timeout | undefined;
    if (this.#requests.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, this.#quietMs);
      });
      clearTimeout(timer);
    }
    const seconds = this.#quietMs / 1000;
    return this.#requests.shift() ?? new RarEngineLost(`no answer for ${seconds} seconds`);
  }
}
