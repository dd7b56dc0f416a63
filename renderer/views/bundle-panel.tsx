import { Badge, Button, Group, Select, Stack, Table, Text, Title } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import type { ReleaseSummary } from '../../shared/contract/contract.ts';
import type { InspectReport, Verdict } from '../../shared/domain/finding.ts';
import type { Product, VersionPackage } from '../../shared/domain/product.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import { call, type PickedFile } from '../rpc/client.ts';

const verdictColors: Record<Verdict, string> = {
  pass: 'green',
  warn: 'orange',
  block: 'red',
  'could-not-check': 'gray',
};

/** Adds files to a release, shows the findings, and makes its full and delta version packages. */
export function BundlePanel(props: {
  readonly release: ReleaseSummary;
  readonly product: Product;
  readonly act: (work: () => Promise<void>) => Promise<void>;
  readonly refresh: () => Promise<void>;
}) {
  const { release, product, act } = props;
  const [componentId, setComponentId] = useState(product.components[0]?.id ?? '');
  const [files, setFiles] = useState<readonly PickedFile[]>([]);
  const [report, setReport] = useState<InspectReport | null>(null);
  const [packages, setPackages] = useState<readonly VersionPackage[]>([]);
  const component = product.components.find((candidate) => candidate.id === componentId);

  const load = useCallback(async () => setPackages(await call('packages.list', {})), []);
  useEffect(() => void act(load), [act, load]);

  const own = packages.filter((pkg) => pkg.releaseId === release.id);
  const target = own.find((pkg) => pkg.packageType === 'full' && pkg.componentId === componentId);
  const sources = packages.filter(
    (pkg) =>
      pkg.packageType === 'full' &&
      pkg.componentId === componentId &&
      pkg.productId === product.id &&
      pkg.releaseId !== release.id,
  );

  const inspect = (picked: readonly PickedFile[]) =>
    act(async () => {
      if (picked.length === 0 || !component) return;
      setFiles(picked);
      setReport(
        await call('bundle.inspect', {
          files: picked.map((file) => file.handle),
          productId: product.id,
          component: component.type,
          version: release.version,
        }),
      );
    });
  const create = () =>
    act(async () => {
      await call('bundle.create', {
        releaseId: release.id,
        componentId,
        files: files.map((file) => file.handle),
      });
      await load();
      await props.refresh();
    });
  const makeDelta = (sourcePackageId: string) =>
    act(async () => {
      if (!target) return;
      await call('delta.create', { sourcePackageId, targetPackageId: target.id });
      await load();
      await props.refresh();
    });

  return (
    <Stack
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void window.slipway.grantFiles([...event.dataTransfer.files]).then(inspect);
      }}
    >
      <Title order={3}>
        {product.name} {release.version}
      </Title>
      <Group align="end">
        <Select
          label="Component"
          data={product.components.map((candidate) => candidate.id)}
          value={componentId}
          onChange={(value) => setComponentId(value ?? '')}
        />
        <Button
          data-testid="bundle-pick"
          variant="default"
          onClick={() =>
            void window.slipway
              .pickFiles({ multiple: true, title: 'Choose firmware files' })
              .then(inspect)
          }
        >
          Choose files…
        </Button>
        <Button
          data-testid="bundle-create"
          disabled={!report || report.verdict === 'block'}
          onClick={() => void create()}
        >
          Create version package
        </Button>
      </Group>
      <Text size="sm">Drop up to 5 files of 100 MB each anywhere here, or choose them.</Text>
      {report && <Findings report={report} />}
      <Title order={4}>Version packages</Title>
      {own.length === 0 && <Text size="sm">None yet.</Text>}
      {own.map((pkg) => (
        <Text key={pkg.id} size="sm">
          {pkg.packageType === 'full' ? 'Full' : `Delta from ${pkg.sourceVersion ?? ''}, proven`},{' '}
          {pkg.componentId} {pkg.targetVersion},{' '}
          {byteText(pkg.files.reduce((sum, file) => sum + file.sizeBytes, 0))}, SHA-256{' '}
          {pkg.sha256.slice(0, 16)}…
        </Text>
      ))}
      {target && sources.length > 0 && (
        <Group>
          {sources.map((source) => (
            <Button
              key={source.id}
              variant="default"
              data-testid="delta-make"
              onClick={() => void makeDelta(source.id)}
            >
              Make delta from {source.targetVersion}
            </Button>
          ))}
        </Group>
      )}
    </Stack>
  );
}

function Findings({ report }: { readonly report: InspectReport }) {
  return (
    <Table data-testid="findings" striped>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>File</Table.Th>
          <Table.Th>Verdict</Table.Th>
          <Table.Th>Finding</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {report.files.flatMap((file) =>
          file.findings.map((finding, index) => (
            <Table.Tr key={`${file.name}${finding.rule}${index}`}>
              <Table.Td>{file.name}</Table.Td>
              <Table.Td>
                <Badge color={verdictColors[finding.verdict]}>{finding.verdict}</Badge>
              </Table.Td>
              <Table.Td>
                {finding.title}. {finding.detail} {finding.verdict === 'pass' ? '' : finding.fix}
              </Table.Td>
            </Table.Tr>
          )),
        )}
      </Table.Tbody>
    </Table>
  );
}
