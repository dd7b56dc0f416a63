import type { Release } from '../../shared/domain/product.ts';
import type { Studio } from '../core/studio.ts';

/** The release of a product with this version; made when it does not exist yet. */
export async function ensureRelease(
  studio: Studio,
  productId: string,
  version: string,
): Promise<Release> {
  const known = (await studio.ask('releases.list', {})).find(
    (release) => release.productId === productId && release.version === version,
  );
  return known ?? studio.ask('releases.create', { productId, version });
}
