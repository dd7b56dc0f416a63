import { open } from 'node:fs/promises';
import { keptHeadBytes } from '../../../shared/domain/finding.ts';
import type { EarlierPackage } from '../../../shared/domain/identity/beginning-rules.ts';
import { hexText } from '../../../shared/formats/image-facts.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** As many as a beginning may be learned from. */
const comparedPackages = 6;

/**
 * The last full packages of a component under other versions, oldest first, with how their files
 * began. Records of times when that was not kept are completed from the stored objects.
 */
export async function earlierPackages(
  workspace: Workspace,
  productId: string,
  componentId: string,
  version: string | undefined,
): Promise<EarlierPackage[]> {
  const packages = workspace
    .list('package')
    .filter(
      (pkg) =>
        pkg.productId === productId &&
        pkg.componentId === componentId &&
        pkg.packageType === 'full' &&
        pkg.targetVersion !== version,
    )
    .toSorted((one, other) => one.createdAt.localeCompare(other.createdAt))
    .slice(-comparedPackages);
  return Promise.all(
    packages.map(async ({ targetVersion, files, report }) => ({
      version: targetVersion,
      files: await Promise.all(
        files.map(async ({ name, sizeBytes, sha256 }) => ({
          name,
          sizeBytes,
          head:
            report.files.find((file) => file.sha256 === sha256)?.head ??
            (await storedHead(workspace.objects.path(sha256))),
        })),
      ),
    })),
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
