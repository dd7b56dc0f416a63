import { createRequire } from 'node:module';
import type { Bzip2 } from '../../../shared/formats/bsdiff40.ts';

interface Result {
  readonly error: number;
  readonly error_msg?: string;
  readonly output: Uint8Array;
}
interface Engine {
  compressBZ2(bytes: Uint8Array, blockSize: number, workFactor: number): Result;
  decompressBZ2(bytes: Uint8Array, small: number): Result;
}
type Start = (options: { TOTAL_MEMORY: number }) => { then(use: (engine: Engine) => void): void };

const smallestMemoryBytes = 64 * 1024 * 1024;
const largestMemoryBytes = 1024 * 1024 * 1024;

/** libbzip2 1.0 as WebAssembly: block size 9 (900 kB), the default work factor. */
export const bzip2: Bzip2 = {
  compress: (bytes) => run(bytes.length * 4, (engine) => engine.compressBZ2(bytes, 9, 30)),
  decompress: (bytes) => run(bytes.length * 4, (engine) => engine.decompressBZ2(bytes, 0)),
};

/**
 * Runs one stream in an instance of its own, since the module's memory neither grows nor is given back;
 * a stream that does not fit is tried again with more, up to 1 GiB.
 */
async function run(expectedBytes: number, work: (engine: Engine) => Result): Promise<Uint8Array> {
  let memoryBytes = smallestMemoryBytes;
  while (memoryBytes < expectedBytes + smallestMemoryBytes && memoryBytes < largestMemoryBytes)
    memoryBytes *= 2;
  for (; ; memoryBytes *= 4) {
    try {
      const result = work(await instance(memoryBytes));
      if (result.error !== 0) throw new Error(result.error_msg ?? `bzip2 error ${result.error}`);
      return Uint8Array.from(result.output);
    } catch (error) {
      const isMemory =
        /OOM|memory|std::length_error|bad_alloc|OUTBUFF/i.test(String(error)) ||
        typeof error === 'number';
      if (!isMemory || memoryBytes * 4 > largestMemoryBytes) throw error;
    }
  }
}

const start = createRequire(import.meta.url)('libbzip2-wasm') as Start;

function instance(memoryBytes: number): Promise<Engine> {
  // The module is a thenable that resolves with itself, so it must not be the value of a promise.
  return new Promise((done) => {
    withoutNewHandlers(() => start({ TOTAL_MEMORY: memoryBytes })).then((engine) =>
      done({
        compressBZ2: (...args) => engine.compressBZ2(...args),
        decompressBZ2: (...args) => engine.decompressBZ2(...args),
      }),
    );
  });
}

/** Each instance would add handlers for every uncaught error of the process, and keep its memory alive by them. */
function withoutNewHandlers<T>(work: () => T): T {
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = events.map((event) => process.rawListeners(event));
  try {
    return work();
  } finally {
    for (const [index, event] of events.entries()) {
      for (const listener of process.rawListeners(event)) {
        if (!before[index]?.includes(listener))
          process.removeListener(event, listener as () => void);
      }
    }
  }
}
