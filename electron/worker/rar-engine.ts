import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type * as ExtractorModule from 'node-unrar-js/dist/js/Extractor';
import type * as UnrarModule from 'node-unrar-js/dist/js/unrar.singleton';
import { exchangeBytes, type RarEngineData, type RarRequest } from './rar-protocol.ts';
import { limitWasmMemory } from './wasm-memory.ts';

// The package's own extractors write to disk or keep everything in memory; its base class does neither.
const load = createRequire(import.meta.url);
const { Extractor } = load('node-unrar-js/dist/js/Extractor.js') as typeof ExtractorModule;
const { getUnrar } = load('node-unrar-js/dist/js/unrar.singleton.js') as typeof UnrarModule;

const { shared, archiveBytes, mostPages } = workerData as RarEngineData;
const words = new Int32Array(shared, 0, 2);
const data = new Uint8Array(shared, 8, exchangeBytes);

/** Sends a request and sleeps until it is answered. */
function ask(request: RarRequest): number {
  parentPort?.postMessage(request);
  Atomics.wait(words, 0, 0);
  Atomics.store(words, 0, 0);
  return Atomics.load(words, 1);
}

/** What the engine's glue code needs of the instance. */
interface Unrar {
  readonly HEAPU8: Uint8Array;
  extractor: unknown;
}

const archive = 1;
const output = 2;

class StreamingExtractor extends Extractor {
  protected _filePath = 'archive.rar';
  #position = 0;
  #written = 0;
  /** Of the member whose header was read last. */
  #index = -1;

  run(): void {
    const { files } = this.extract({
      files: ({ flags }) => {
        this.#index += 1;
        return !flags.directory;
      },
    });
    for (const _ of files) ask({ kind: 'end' });
    parentPort?.postMessage({ kind: 'done', members: this.#index + 1 } satisfies RarRequest);
  }

  protected open(filename: string): number {
    return filename === this._filePath ? archive : 0;
  }

  protected create(): number {
    this.#written = 0;
    ask({ kind: 'begin', index: this.#index });
    return output;
  }

  protected read(_fd: number, at: number, size: number): number {
    let done = 0;
    while (done < size) {
      const length = Math.min(exchangeBytes, size - done);
      const count = ask({ kind: 'read', offset: this.#position, length });
      (this.unrar as Unrar).HEAPU8.set(data.subarray(0, count), at + done);
      this.#position += count;
      done += count;
      if (count < length) break;
    }
    return done;
  }

  protected write(_fd: number, at: number, size: number): boolean {
    const heap = (this.unrar as Unrar).HEAPU8;
    for (let done = 0; done < size; done += exchangeBytes) {
      const part = heap.subarray(at + done, at + Math.min(size, done + exchangeBytes));
      data.set(part);
      ask({ kind: 'data', length: part.length });
    }
    this.#written += size;
    return true;
  }

  protected tell(fd: number): number {
    return fd === archive ? this.#position : this.#written;
  }

  protected seek(fd: number, offset: number, method: 'CUR' | 'SET' | 'END'): boolean {
    if (fd !== archive) return false;
    const from = { SET: 0, CUR: this.#position, END: archiveBytes }[method];
    const position = from + offset;
    if (position < 0 || position > archiveBytes) return false;
    this.#position = position;
    return true;
  }

  protected closeFile(): void {
    // Nothing is open: the archive belongs to the client, and members are not files.
  }
}

try {
  const wasm = readFileSync(load.resolve('node-unrar-js/dist/js/unrar.wasm'));
  const unrar = (await getUnrar({ wasmBinary: limitWasmMemory(wasm, mostPages) })) as Unrar;
  const extractor = new StreamingExtractor(unrar);
  unrar.extractor = extractor;
  extractor.run();
} catch (error) {
  const { reason, message } = error as { reason?: string; message: string };
  parentPort?.postMessage({ kind: 'failed', reason: reason ?? message } satisfies RarRequest);
}
