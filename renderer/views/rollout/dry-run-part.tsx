import { Button, Group, NumberInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { DryRun } from '../../../shared/domain/dry-run.ts';
import type { PlanDraftInput } from '../../../shared/domain/plan.ts';
import { call } from '../../rpc/client.ts';
import { useRunningJob, useStudio } from '../../stores/studio.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { countText, durationText } from '../../widgets/format-text.ts';
import { JobStrip } from '../../widgets/job-strip.tsx';

const maxDevices = 10_000;
const usualDevices = 100;

/** Carries a plan out with simulated devices in a scratch cloud, and says what came of it. */
export function DryRunPart(props: {
  readonly plan: PlanDraftInput;
  /** Devices that the plan would upgrade. */
  readonly scopeDevices: number;
}) {
  const { plan, scopeDevices } = props;
  const act = useStudio((state) => state.act);
  const [devices, setDevices] = useState(usualDevices);
  const [run, setRun] = useState<DryRun | null>(null);
  const [isBusy, setBusy] = useState(false);
  const job = useRunningJob('plans.dryRun');
  const size = Math.min(devices, scopeDevices);
  const start = async (): Promise<void> => {
    setBusy(true);
    setRun(null);
    await act(async () => setRun(await call('plans.dryRun', { plan, devices: size })));
    setBusy(false);
  };
  return (
    <Stack gap="xs" data-testid="dry-run">
      <Group gap="sm" align="flex-end" wrap="nowrap">
        <NumberInput
          label="Dry run with simulated devices"
          min={1}
          max={Math.min(maxDevices, scopeDevices)}
          clampBehavior="strict"
          allowDecimal={false}
          thousandSeparator=","
          value={size}
          onChange={(value) => setDevices(Math.max(1, Number(value) || 1))}
          w={250}
          data-testid="dry-run-devices"
        />
        <Button
          variant="default"
          disabled={isBusy}
          onClick={() => void start()}
          data-testid="dry-run-start"
        >
          Dry run
        </Button>
      </Group>
      {isBusy && job ? (
        <JobStrip job={job} />
      ) : run ? (
        <Outcome run={run} />
      ) : (
        <Text size="xs" c="dimmed">
          They speak the protocols and run the versions of the real ones, in a scratch cloud of
          their own; times, soak and holds of the plan are left out.
        </Text>
      )}
    </Stack>
  );
}

function Outcome({ run }: { readonly run: DryRun }) {
  const { http, mqtt, lwm2m } = run.transports;
  return (
    <Stack gap={4} role="status" data-testid="dry-run-result">
      <FactList
        layout="row"
        facts={[
          ['Upgraded', countText(run.upgraded)],
          ['Failed', countText(run.failed)],
          ['Full, delta', `${countText(run.full)}, ${countText(run.delta)}`],
          ['Took', durationText(run.elapsedMs)],
          ['Half after', run.p50Ms === null ? 'none' : durationText(run.p50Ms)],
          ['99 % after', run.p99Ms === null ? 'none' : durationText(run.p99Ms)],
        ]}
      />
      <Text size="xs" c="dimmed">
        {countText(run.devices)} devices for {countText(run.scope)}: {countText(http)} HTTP,{' '}
        {countText(mqtt)} MQTT, {countText(lwm2m)} LwM2M.
        {run.state === 'suspended' && ' A stop rule of the plan suspended it.'}
      </Text>
      {run.failures.map(({ code, count }) => (
        <Text size="xs" key={code}>
          Failed: {code} × {countText(count)}
        </Text>
      ))}
    </Stack>
  );
}
