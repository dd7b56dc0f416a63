import { Button, Group, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Import, RadioTower, Search } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { Device } from '../../../shared/domain/plan.ts';
import type { Product } from '../../../shared/domain/product.ts';
import { call } from '../../rpc/client.ts';
import { usePagedRows } from '../../stores/paged-rows.ts';
import { useRollout } from '../../stores/rollout.ts';
import { useStudio } from '../../stores/studio.ts';
import { usePoll } from '../../stores/use-poll.ts';
import { DataGrid } from '../../widgets/data-grid.tsx';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { countText } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Section } from '../../widgets/section.tsx';
import { deviceColumns } from './device-columns.tsx';
import { ImportDialog } from './import-dialog.tsx';

const refreshPeriodMs = 2000;
const searchDelayMs = 250;

/** The devices of the product that the local cloud knows. */
export function DevicesSection(props: {
  readonly product: Product;
  readonly isCloudRunning: boolean;
}) {
  const { product, isCloudRunning } = props;
  const startCloud = useRollout((state) => state.startCloud);
  if (!isCloudRunning)
    return (
      <Section title="Devices" fill>
        <EmptyState
          icon={RadioTower}
          sentence="The local cloud is stopped. Start it to see the devices of this product."
          action={
            <Button variant="default" onClick={() => void startCloud()}>
              Start the local cloud
            </Button>
          }
        />
      </Section>
    );
  return <DeviceGrid product={product} />;
}

function DeviceGrid({ product }: { readonly product: Product }) {
  const prefixes = useStudio((state) => state.settings?.chinaTelecomIccidPrefixes);
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), searchDelayMs);
  const [isImporting, setImporting] = useState(false);
  const rows = usePagedRows<Device>(`${product.id} ${search}`, (offset, limit) =>
    call('devices.list', { productId: product.id, search, offset, limit }),
  );
  usePoll(async () => rows.refresh(), refreshPeriodMs, true);
  const { refresh } = rows;
  const columns = useMemo(
    () => deviceColumns(prefixes ?? [], (device) => void turnAutoConfirm(device, refresh)),
    [prefixes, refresh],
  );
  return (
    <>
      {rows.problem && <ProblemAlert problem={rows.problem} />}
      <Section
        title={rows.total === null ? 'Devices' : `Devices (${countText(rows.total)})`}
        fill
        flush
        testId="devices"
        actions={
          <Group gap="xs" wrap="nowrap">
            <TextInput
              aria-label="Search devices"
              placeholder="Id, IMSI, ICCID or batch"
              leftSection={<Search size={14} aria-hidden />}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              w={220}
            />
            <Button
              variant="default"
              leftSection={<Import size={14} aria-hidden />}
              onClick={() => setImporting(true)}
              data-testid="import-open"
            >
              Import…
            </Button>
          </Group>
        }
      >
        {rows.total === null ? (
          <LoadingLines label="Reading the devices" />
        ) : (
          <DataGrid
            label="Devices of the product"
            columns={columns}
            rowCount={rows.total}
            getRow={rows.row}
            rowKey={(device) => device.id}
            onRangeVisible={rows.show}
            onOpen={(device) => void turnAutoConfirm(device, refresh)}
            empty={
              <Text c="dimmed">
                {search === ''
                  ? 'No device yet. Import a table, or start simulated devices.'
                  : `No device matches "${search}".`}
              </Text>
            }
          />
        )}
      </Section>
      <ImportDialog
        product={product}
        opened={isImporting}
        onClose={() => setImporting(false)}
        onImported={refresh}
      />
    </>
  );
}

/** Whether manual plans are confirmed for a device without asking is turned around. */
async function turnAutoConfirm({ id, autoConfirm }: Device, refresh: () => void): Promise<void> {
  const active = autoConfirm !== true;
  await useStudio.getState().act(async () => {
    await call('devices.autoConfirm', { deviceIds: [id], active });
  });
  refresh();
}
