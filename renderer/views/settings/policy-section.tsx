import { Stack, Text } from '@mantine/core';
import { policyText } from '../../../shared/domain/bench-policy.ts';
import type { Product } from '../../../shared/domain/product.ts';
import { useStudio } from '../../stores/studio.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { Section } from '../../widgets/section.tsx';

const severityWords = {
  block: 'blocks a release',
  warn: 'is a warning',
  allow: 'is allowed',
} as const;

/** What each product demands of a release, and how it weighs findings; changed in slipway.yaml alone. */
export function PolicySection() {
  const products = useStudio((state) => state.products);
  const folder = useStudio((state) => state.info?.workspace.path ?? '');
  return (
    <Section title="Policies" testId="policy-section">
      <Stack gap="sm">
        <Text c="dimmed">
          Read from the products of <code>{folder}/slipway.yaml</code>, under “policy”: a policy is
          changed there, so that the change is reviewed like code.
        </Text>
        {products.map((product) => (
          <ProductPolicy key={product.id} product={product} />
        ))}
      </Stack>
    </Section>
  );
}

function ProductPolicy({ product }: { readonly product: Product }) {
  const { benchRunsRequired, bench, findings = {} } = product.policy;
  const overrides = Object.entries(findings);
  return (
    <div role="group" aria-label={`Policy of ${product.id}`}>
      <Text fw={600}>
        {product.name} ({product.id})
      </Text>
      <FactList
        facts={[
          ['Bench runs', `${benchRunsRequired} passed for each image`],
          ...(bench ? [['Boards', policyText(bench)] as const] : []),
          ...(overrides.length === 0
            ? ([['Findings', 'each weighs what its rule says']] as const)
            : []),
          ...overrides.map(([pattern, severity]) => [pattern, severityWords[severity]] as const),
        ]}
      />
    </div>
  );
}
