import { useState } from 'react';
import type { Component, Product } from '../../shared/domain/product.ts';

/** The component of the product that a view works on: the first one until another is chosen. */
export function useComponent(product: Product | undefined): {
  readonly component: Component | undefined;
  readonly choose: (componentId: string) => void;
} {
  const [componentId, choose] = useState<string | null>(null);
  const component =
    product?.components.find((candidate) => candidate.id === componentId) ?? product?.components[0];
  return { component, choose };
}
