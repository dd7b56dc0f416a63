import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const blockBytes = 1024 * 1024;

/**
 * Writes a file so that a crash or a full disk leaves the old content or the new, never a mixture.
 * Pieces are written one after the other; an error thrown by their source leaves the old content too.
 * `mode` is that of the new file, the system's usual one unless given.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array>,
  mode?: number,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      if (typeof content === 'string' || content instanceof Uint8Array)
        await file.writeFile(content);
      else await writePieces(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await renameDurably(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Gathers the pieces, whose memory may be used again, in blocks: one is written while the next is made. */
async function writePieces(file: FileHandle, pieces: Iterable<Uint8Array>): Promise<void> {
  let block = Buffer.allocUnsafe(blockBytes);
  let spare = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  let writing: Promise<void> = Promise.resolve();
  const writeBlock = async (): Promise<void> => {
    await writing;
    const whole = block.subarray(0, filled);
    writing = file.writeFile(whole);
    // Its error is told where the write is awaited, even when making the next block fails first.
    writing.catch(() => {});
    [block, spare, filled] = [spare, block, 0];
  };
  try {
    for (const piece of pieces)
      for (let at = 0; at < piece.length; ) {
        const size = Math.min(piece.length - at, blockBytes - filled);
        block.set(piece.subarray(at, at + size), filled);
        filled += size;
        at += size;
        if (filled === blockBytes) await writeBlock();
      }
    await writeBlock();
    await writing;
  } finally {
    await writing.catch(() => {});
  }
}

/** Renames a file, and makes the name itself survive a power failure where the system can. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  // Windows neither opens folders nor needs it.
  if (process.platform === 'win32') return;
  const folder = await open(dirname(to), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
