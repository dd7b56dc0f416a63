import { SegmentedControl, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Component, VersionPackage } from '../../../shared/domain/product.ts';
import type { BundleDraft } from '../../stores/bundle-drafts.ts';
import { layOutMemory } from '../../widgets/memory-layout.ts';
import { MemoryMap } from '../../widgets/memory-map.tsx';
import { Section } from '../../widgets/section.tsx';

type Source = 'files' | 'package';

/** The memory of a component with the files being checked, or with the full package of the release. */
export function MemorySection(props: {
  readonly component: Component;
  readonly draft: BundleDraft | undefined;
  /** Version packages of the release. */
  readonly packages: readonly VersionPackage[];
}) {
  const { component, draft, packages } = props;
  const [wanted, setWanted] = useState<Source>('files');
  const full = packages.find(
    (pkg) => pkg.componentId === component.id && pkg.packageType === 'full',
  );
  const source: Source = draft && (wanted === 'files' || !full) ? 'files' : 'package';
  const files = (source === 'files' ? draft?.report : full?.report)?.files;
  const { memory } = component;
  const layout = useMemo(() => layOutMemory(memory ?? [], files ?? []), [memory, files]);
  return (
    <Section
      title={`Memory of ${component.id}`}
      actions={
        draft &&
        full && (
          <SegmentedControl
            aria-label="What the memory map shows"
            value={source}
            onChange={(value) => setWanted(value as Source)}
            data={[
              { value: 'files', label: 'Files being checked' },
              { value: 'package', label: `Package ${full.targetVersion}` },
            ]}
          />
        )
      }
      testId="memory-section"
    >
      {memory === undefined || memory.length === 0 ? (
        <Text c="dimmed">
          No memory is described for {component.id}. Name its regions in slipway.yaml to see what an
          image fills and to have it checked.
        </Text>
      ) : (
        <MemoryMap layout={layout} />
      )}
    </Section>
  );
}
