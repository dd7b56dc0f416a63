import { ActionIcon, Alert, Group, Stack, Text } from '@mantine/core';
import { List } from 'lucide-react';
import { useState } from 'react';
import type { PlanCheck, PlanDraftInput, ScopeGroup } from '../../../shared/domain/plan.ts';
import type { PlanPreview } from '../../../shared/domain/plan-preview.ts';
import { byteText } from '../../../shared/domain/progress-text.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { countText, durationText, exactBytesText, pluralText } from '../../widgets/format-text.ts';
import { DryRunPart } from './dry-run-part.tsx';
import { SkipReasonRow } from './skip-reason-row.tsx';
import { ScopeDialog, scopeGroupTitle } from './scope-dialog.tsx';
import classes from './scope-preview.module.css';

/** Who gets which package or is skipped and why, what that sends over the air, and how long it takes. */
export function ScopePreview(props: {
  readonly check: PlanCheck;
  readonly plan: PlanDraftInput | null;
}) {
  const { plan } = props;
  const { scope, preview } = props.check;
  const [group, setGroup] = useState<ScopeGroup | null>(null);
  const skipped = scope.skipped.reduce((sum, { count }) => sum + count, 0);
  const counted = (kind: ScopeGroup, count: number) => (
    <Group gap={4} wrap="nowrap">
      {countText(count)}
      {count > 0 && <ListButton group={kind} onClick={() => setGroup(kind)} />}
    </Group>
  );
  return (
    <Stack gap="md">
      <Stack gap="xs" data-testid="scope">
        <FactList
          layout="row"
          facts={[
            ['Full package', counted('full', scope.full)],
            ['Delta package', counted('delta', scope.delta)],
            ['Skipped', countText(skipped)],
          ]}
        />
        {scope.skipped.map((entry) => (
          <SkipReasonRow
            key={entry.reason}
            entry={entry}
            action={<ListButton group={entry.reason} onClick={() => setGroup(entry.reason)} />}
          />
        ))}
      </Stack>
      {preview && <Effort preview={preview} />}
      {plan && scope.full + scope.delta > 0 && (
        <DryRunPart plan={plan} scopeDevices={scope.full + scope.delta} />
      )}
      {plan && <ScopeDialog plan={plan} group={group} onClose={() => setGroup(null)} />}
    </Stack>
  );
}

function ListButton(props: { readonly group: ScopeGroup; readonly onClick: () => void }) {
  return (
    <ActionIcon
      size="xs"
      aria-label={`List these devices: ${scopeGroupTitle(props.group)}`}
      onClick={props.onClick}
      data-testid={`scope-list-${props.group}`}
    >
      <List size={13} aria-hidden />
    </ActionIcon>
  );
}

function Effort({ preview }: { readonly preview: PlanPreview }) {
  const { airBytes, packages, stages, duration, split } = preview;
  return (
    <Stack gap="xs" data-testid="plan-preview">
      <FactList
        layout="row"
        facts={[
          ['Over the air', <span title={exactBytesText(airBytes)}>{byteText(airBytes)}</span>],
          [
            'Expected duration',
            duration.ms === null ? 'not known' : `about ${durationText(duration.ms)}`,
          ],
        ]}
      />
      <ul className={classes.assumptions} aria-label="Assumptions of the duration">
        {duration.assumptions.map((assumption) => (
          <li key={assumption}>{assumption}</li>
        ))}
      </ul>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Package</th>
            <th scope="col">Size</th>
            <th scope="col">Devices</th>
            <th scope="col">In total</th>
          </tr>
        </thead>
        <tbody>
          {packages.map((pkg) => (
            <tr key={pkg.packageId}>
              <td>{pkg.name}</td>
              <td>{byteText(pkg.sizeBytes)}</td>
              <td>{countText(pkg.devices)}</td>
              <td>{byteText(pkg.airBytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {stages && <StageTable stages={stages} />}
      {split && (
        <Alert color="red" title={`Too many devices for one plan: split it into ${split.plans}`}>
          {split.byBatch === null ? (
            <Text size="xs">
              The batches do not divide them into parts of 10,000 or fewer. Save the lists of
              devices above as CSV and use parts of them as whitelists.
            </Text>
          ) : (
            split.byBatch.map(({ batches, devices }, index) => (
              <Text size="xs" key={batches.join(' ')}>
                Plan {index + 1}: {pluralText(devices, 'device')} of {batches.join(', ')}
              </Text>
            ))
          )}
        </Alert>
      )}
    </Stack>
  );
}

function StageTable({ stages }: { readonly stages: NonNullable<PlanPreview['stages']> }) {
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">Devices</th>
          <th scope="col">In total</th>
          <th scope="col">Takes about</th>
          <th scope="col">Soak</th>
        </tr>
      </thead>
      <tbody>
        {stages.map((stage) => (
          <tr key={stage.stage}>
            <td>{stage.stage}</td>
            <td>{countText(stage.devices)}</td>
            <td>{byteText(stage.airBytes)}</td>
            <td>{stage.ms === null ? 'not known' : durationText(stage.ms)}</td>
            <td>{stage.soakMs === 0 ? 'none' : durationText(stage.soakMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
