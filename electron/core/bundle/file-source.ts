import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';

/** Reads `length` bytes at `offset`, fewer only at the end of the file. */
async function readFully(
  file: FileHandle,
  target: Uint8Array,
  offset: number,
): Promise<Uint8Array> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await file.read(target, filled, target.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return target.subarray(0, filled);
}

/** A {@link ByteSource} over an open file. */
export function fileSource(file: FileHandle, sizeBytes: number): ByteSource {
  return {
    sizeBytes,
    read: (offset, length) =>
      readFully(
        file,
        Buffer.allocUnsafe(Math.max(0, Math.min(length, sizeBytes - offset))),
        offset,
      ),
  };
}

/** Size of the windows in which {@link readChunks} reads. */
export const chunkBytes = 1024 * 1024;

/**
 * Yields the whole file in windows, reading the next while the caller works on the last.
 * A window is reused two steps later: copy what must be kept.
 */
export async function* readChunks(file: FileHandle, from = 0): AsyncGenerator<Buffer> {
  const windows = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)] as const;
  let offset = from;
  let turn = 0;
  let pending = readFully(file, windows[0], offset);
  for (;;) {
    const bytes = await pending;
    if (bytes.length === 0) return;
    offset += bytes.length;
    turn = 1 - turn;
    pending = readFully(file, windows[turn] as Buffer, offset);
    // An early return of the consumer must not leave a rejection unhandled.
    pending.catch(() => undefined);
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

/** A source that stops with the signal's reason once the caller gives up. */
export function abortableSource(source: ByteSource, signal: AbortSignal): ByteSource {
  return {
    sizeBytes: source.sizeBytes,
    read: (offset, length) => {
      signal.throwIfAborted();
      return source.read(offset, length);
    },
  };
}
