import { useMemo } from 'react';
import type { ReleaseSummary } from '../../shared/contract/contract.ts';
import type { Product } from '../../shared/domain/product.ts';
import { type LineStep, releaseLine } from './release-line.ts';
import { useStudio } from './studio.ts';

/** The way of a release through the rooms, from the records that are loaded. */
export function useReleaseLine(
  chosen: { readonly release: ReleaseSummary; readonly product: Product } | null,
): readonly LineStep[] {
  const packages = useStudio((state) => state.packages);
  const evidence = useStudio((state) => state.evidence);
  const release = chosen?.release;
  const product = chosen?.product;
  return useMemo(() => {
    if (!release || !product) return [];
    const evidenceExported = evidence.some(({ releaseId }) => releaseId === release.id);
    return releaseLine({ release, product, packages, evidenceExported });
  }, [release, product, packages, evidence]);
}
