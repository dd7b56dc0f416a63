import { Button, Group, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { versionProblem } from './version-problem.ts';

/** Asks for product and version and makes the release; it becomes the one that every view works on. */
export function NewReleaseForm({ onDone }: { readonly onDone: () => void }) {
  const { products, releases, act, refresh, selectRelease } = useStudio();
  const [productId, setProductId] = useState(products[0]?.id ?? null);
  const [version, setVersion] = useState('');
  const [busy, setBusy] = useState(false);
  const taken = releases
    .filter((release) => release.productId === productId)
    .map((release) => release.version);
  const wrong = versionProblem(version, taken);

  const create = async (event: FormEvent) => {
    event.preventDefault();
    if (productId === null || wrong !== null || version === '' || busy) return;
    setBusy(true);
    const done = await act(async () => {
      const release = await call('releases.create', { productId, version });
      await refresh();
      selectRelease(release.id);
    });
    setBusy(false);
    if (done) onDone();
  };

  return (
    <form onSubmit={(event) => void create(event)}>
      <Stack gap="sm" w={280}>
        <Select
          label="Product"
          data={products.map((product) => ({
            value: product.id,
            label: `${product.id}, ${product.name}`,
          }))}
          value={productId}
          allowDeselect={false}
          onChange={setProductId}
          comboboxProps={{ withinPortal: false }}
        />
        <TextInput
          label="Version"
          description="As the firmware reports it"
          placeholder="1.1.0"
          data-autofocus
          data-testid="release-version"
          value={version}
          error={wrong}
          onChange={(event) => setVersion(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={busy}
            disabled={version === '' || wrong !== null || productId === null}
            data-testid="create-release"
          >
            Create release
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
