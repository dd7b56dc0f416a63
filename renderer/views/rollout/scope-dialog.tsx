import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Download, Search } from 'lucide-react';
import { useState } from 'react';
import type { PlanDraftInput, ScopeGroup } from '../../../shared/domain/plan.ts';
import { call, pickTarget } from '../../rpc/client.ts';
import { usePagedRows } from '../../stores/paged-rows.ts';
import { useStudio } from '../../stores/studio.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { pluralText } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { TitledText } from '../../widgets/value-text.tsx';
import classes from './scope-preview.module.css';
import { skipReasonTitles } from './status-text.ts';

const searchDelayMs = 250;

interface ScopeRow {
  readonly deviceId: string;
  readonly detail: string;
}

/** What people read for a group of devices of a plan. */
export function scopeGroupTitle(group: ScopeGroup): string {
  if (group === 'full') return 'Full package';
  return group === 'delta' ? 'Delta package' : skipReasonTitles[group];
}

/** The devices that get the same, or are skipped for the same reason: searched, paged, saved as a table. */
export function ScopeDialog(props: {
  readonly plan: PlanDraftInput;
  /** Closed while null. */
  readonly group: ScopeGroup | null;
  readonly onClose: () => void;
}) {
  const { plan, group, onClose } = props;
  return (
    <Modal
      opened={group !== null}
      onClose={onClose}
      title={group && scopeGroupTitle(group)}
      size={720}
    >
      {group && <ScopeDevices plan={plan} group={group} />}
    </Modal>
  );
}

function ScopeDevices({
  plan,
  group,
}: {
  readonly plan: PlanDraftInput;
  readonly group: ScopeGroup;
}) {
  const act = useStudio((state) => state.act);
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), searchDelayMs);
  const [saved, setSaved] = useState<string | null>(null);
  const rows = usePagedRows<ScopeRow>(`${group} ${search}`, (offset, limit) =>
    call('plans.scopeDevices', { plan, group, search, offset, limit }),
  );
  const save = () =>
    void act(async () => {
      const target = await pickTarget({
        title: 'Save these devices as a table',
        suggestedName: `${group}.csv`,
      });
      if (target === null) return;
      await call('plans.exportScope', { plan, group, out: target.handle });
      setSaved(target.name);
    });
  return (
    <Stack gap="sm">
      {rows.problem && <ProblemAlert problem={rows.problem} />}
      <Group justify="space-between" wrap="nowrap">
        <TextInput
          aria-label="Search by id"
          placeholder="Id or a part of it"
          leftSection={<Search size={14} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          data-autofocus
          w={240}
        />
        <Group gap="sm" wrap="nowrap">
          <Text size="xs" c="dimmed" role="status">
            {saved === null
              ? rows.total !== null && pluralText(rows.total, 'device')
              : `Saved as ${saved}`}
          </Text>
          <Button
            variant="default"
            leftSection={<Download size={14} aria-hidden />}
            onClick={save}
            data-testid="scope-export"
          >
            Save all as CSV…
          </Button>
        </Group>
      </Group>
      <div className={classes.devices}>
        {rows.total === null ? (
          <LoadingLines label="Reading the devices" />
        ) : (
          <DataGrid
            label="Devices of this group"
            columns={columns}
            rowCount={rows.total}
            getRow={rows.row}
            rowKey={({ deviceId }) => deviceId}
            onRangeVisible={rows.show}
            empty={<Text c="dimmed">No device matches.</Text>}
            testId="scope-devices"
          />
        )}
      </div>
    </Stack>
  );
}

const columns: readonly GridColumn<ScopeRow>[] = [
  {
    id: 'device',
    title: 'Device',
    widthPx: 230,
    render: ({ deviceId }) => <TitledText text={deviceId} />,
  },
  { id: 'detail', title: 'Why', render: ({ detail }) => <TitledText text={detail} /> },
];
