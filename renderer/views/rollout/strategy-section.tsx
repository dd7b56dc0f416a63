import { Group, NumberInput, Stack, Switch, Text } from '@mantine/core';
import { Section } from '../../widgets/section.tsx';
import type { PlanOptions } from './plan-options.ts';

/** What a device needs before it begins, and what happens when it fails. */
export function StrategySection(props: {
  readonly options: PlanOptions;
  readonly onChange: (change: Partial<PlanOptions>) => void;
}) {
  const { options, onChange } = props;
  return (
    <Section title="Strategy" testId="plan-strategy-section">
      <Stack gap="sm">
        <Group grow gap="sm" align="flex-end">
          <NumberInput
            label="Retries of a device"
            min={0}
            max={5}
            clampBehavior="strict"
            allowDecimal={false}
            value={options.retries}
            onChange={(value) => onChange({ retries: Number(value) || 0 })}
            data-testid="plan-retries"
          />
          <NumberInput
            label="Least RSRP"
            suffix=" dBm"
            min={-113}
            max={-44}
            allowDecimal={false}
            value={options.minRsrpDbm}
            onChange={(value) => onChange({ minRsrpDbm: Number(value) })}
            data-testid="plan-rsrp"
          />
          <NumberInput
            label="Least battery"
            suffix=" %"
            min={30}
            max={100}
            allowDecimal={false}
            allowNegative={false}
            value={options.minBatteryPercent}
            onChange={(value) => onChange({ minBatteryPercent: Number(value) })}
            data-testid="plan-battery"
          />
        </Group>
        <Switch
          label="Devices without a matching delta get the full package"
          checked={options.fallbackToFull}
          onChange={(event) => onChange({ fallbackToFull: event.currentTarget.checked })}
          data-testid="plan-fallback"
        />
        <Switch
          label="Devices that never reported a version themselves get the full package"
          checked={options.allowNeverReported}
          onChange={(event) => onChange({ allowNeverReported: event.currentTarget.checked })}
          data-testid="plan-never-reported"
        />
        <Text size="xs" c="dimmed">
          A device below a limit is held until it reports better. One that never tells its battery
          or signal is not held for it.
        </Text>
      </Stack>
    </Section>
  );
}
