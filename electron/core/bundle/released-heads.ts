import { open } from 'node:fs/promises';
import { keptHeadBytes } from '../../../shared/domain/finding.ts';
import { learnedFromPackages } from '../../../shared/domain/identity/beginning-rules.ts';
import { fullPackages, type ReleaseHistory } from '../../../shared/domain/release-history.ts';
import { hexText } from '../../../shared/formats/image-facts.ts';
import type { ObjectStore } from '../workspace/object-store.ts';

/**
 * The history with how the files of the component's last full packages began: records of times
 * when that was not kept are completed from the stored objects, without reading those to their end.
 */
export async function withHeads(
  history: ReleaseHistory,
  componentId: string,
  objects: ObjectStore,
): Promise<ReleaseHistory> {
  // One more, because the declared version itself is not compared with.
  const last = new Set(fullPackages(history, componentId).slice(-learnedFromPackages - 1));
  return Promise.all(
    history.map(async (pkg) => {
      if (!last.has(pkg) || pkg.files.every(({ head }) => head !== undefined)) return pkg;
      const files = await Promise.all(
        pkg.files.map(async (file) => ({
          ...file,
          head: file.head ?? (await storedHead(objects.path(file.sha256))),
        })),
      );
      return { ...pkg, files };
    }),
  );
}

/** The first bytes of a stored object in hex; undefined when it is not there any more. */
async function storedHead(path: string): Promise<string | undefined> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(keptHeadBytes),
      0,
      keptHeadBytes,
      0,
    );
    return hexText(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}
