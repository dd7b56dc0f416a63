import { createInflateRaw } from 'node:zlib';
import type { ByteStream } from '../../../shared/formats/byte-stream.ts';

/** A raw deflate stream that is broken, or that ends too early: code `Z_BUF_ERROR`. */
export class InflateError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`the compressed data is broken (${code})`);
    this.code = code;
  }
}

/**
 * Unpacks one raw deflate stream (RFC 1951); the source stands right behind it then.
 * @throws InflateError
 */
export async function* inflateRaw(source: ByteStream): AsyncGenerator<Buffer> {
  const engine = createInflateRaw({ chunkSize: 256 * 1024 });
  const over = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) engine.once(event, resolve);
  });
  const feeding = feed(engine, source, over);
  try {
    for await (const bytes of engine as AsyncIterable<Buffer>) yield bytes;
    await feeding;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code?.startsWith('Z_') ? new InflateError(code) : error;
  } finally {
    engine.destroy();
    await feeding;
  }
}

type Engine = ReturnType<typeof createInflateRaw>;

async function feed(engine: Engine, source: ByteStream, over: Promise<void>): Promise<void> {
  try {
    for (let fedBytes = 0; ; ) {
      const bytes = await source.next();
      if (bytes.length === 0) {
        engine.end();
        return;
      }
      await Promise.race([over, new Promise((resolve) => engine.write(bytes, resolve))]);
      const usedBytes = engine.bytesWritten - fedBytes;
      if (usedBytes < bytes.length) {
        // The engine leaves bytes only when the compressed data has ended, or is broken.
        source.unread(bytes.subarray(usedBytes));
        return;
      }
      fedBytes += bytes.length;
    }
  } catch (error) {
    // The reader of the engine gets it.
    engine.destroy(error as Error);
  }
}
