import { Button, NavLink, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReleaseSummary } from '../../shared/contract/contract.ts';
import type { Product } from '../../shared/domain/product.ts';
import { call } from '../rpc/client.ts';

const stageNames = { draft: 'Draft', validated: 'Validated', benchTested: 'Bench-tested' } as const;

/** The list of releases and the form that makes one. */
export function ReleasesPanel(props: {
  readonly products: readonly Product[];
  readonly releases: readonly ReleaseSummary[];
  readonly selectedId: string | null;
  readonly onSelect: (id: string) => void;
  readonly act: (work: () => Promise<void>) => Promise<void>;
  readonly refresh: () => Promise<void>;
}) {
  const [productId, setProductId] = useState<string | null>(null);
  const [version, setVersion] = useState('');
  const chosen = productId ?? props.products[0]?.id ?? null;
  const create = () =>
    props.act(async () => {
      if (!chosen) return;
      const release = await call('releases.create', { productId: chosen, version });
      await props.refresh();
      props.onSelect(release.id);
      setVersion('');
    });
  return (
    <Stack>
      <Title order={5}>Releases</Title>
      {props.releases.length === 0 && (
        <Text size="sm">No release yet. Make the first one below.</Text>
      )}
      {props.releases.map((release) => (
        <NavLink
          key={release.id}
          active={release.id === props.selectedId}
          label={`${release.productId} ${release.version}`}
          description={`${stageNames[release.stage]}, ${release.packageCount} packages (${release.deltaCount} delta), ${release.benchPassed} bench runs passed`}
          onClick={() => props.onSelect(release.id)}
        />
      ))}
      <Select
        label="Product"
        data={props.products.map((product) => product.id)}
        value={chosen}
        onChange={setProductId}
      />
      <TextInput
        label="Version"
        placeholder="1.1.0"
        data-testid="release-version"
        value={version}
        onChange={(event) => setVersion(event.currentTarget.value)}
      />
      <Button data-testid="new-release" disabled={version === ''} onClick={() => void create()}>
        New release
      </Button>
    </Stack>
  );
}
