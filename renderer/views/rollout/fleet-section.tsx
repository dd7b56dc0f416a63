import { Autocomplete, Button, Group, Select, Stack, Text } from '@mantine/core';
import { versionPattern } from '../../../shared/domain/limits.ts';
import { versionOrder } from '../../../shared/domain/package-offers.ts';
import type { Product } from '../../../shared/domain/product.ts';
import { useRollout } from '../../stores/rollout.ts';
import { useStudio } from '../../stores/studio.ts';
import { countText, pluralText } from '../../widgets/format-text.ts';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { CountField } from './count-field.tsx';
import { FleetBehaviour } from './fleet-behaviour.tsx';
import classes from './rollout-view.module.css';

/** Starts simulated devices that really poll, download, check and report. */
export function FleetSection({ product }: { readonly product: Product }) {
  const { fleet, isFleetBusy, startFleet, stopFleet, changeFleetForm } = useRollout();
  const form = useRollout((state) => state.fleetForm);
  const {
    http,
    mqtt,
    lwm2m,
    chinaTelecom,
    lowBattery,
    weakSignal,
    users,
    failPercent,
    silentPercent,
  } = form;
  const total = http + mqtt + lwm2m;
  const packages = useStudio((state) => state.packages);
  const ids = product.components.map(({ id }) => id);
  const componentId = ids.find((id) => id === form.componentId) ?? ids[0] ?? '';
  const versions = [
    ...new Set(
      packages
        .filter((pkg) => pkg.productId === product.id && pkg.componentId === componentId)
        .map((pkg) => pkg.targetVersion),
    ),
  ].toSorted(versionOrder);
  const fromVersion = form.fromVersion ?? versions[0] ?? '1.0.0';
  const isVersion = versionPattern.test(fromVersion);
  const missing =
    total === 0
      ? 'Ask for at least one device.'
      : chinaTelecom > total
        ? `Only ${countText(total)} can be on China Telecom SIMs.`
        : lowBattery + weakSignal > total
          ? `Only ${countText(total)} can be low on battery or weak.`
          : isVersion
            ? null
            : 'The version has letters, digits, "_", "-" and "." only.';

  return (
    <Section
      title="Simulated fleet"
      actions={
        fleet?.running ? (
          <ToneBadge tone="busy" word={`${countText(fleet.devices)} running`} />
        ) : undefined
      }
    >
      <Stack gap="xs">
        <Text size="xs" c="dimmed">
          They poll, download, check SHA-256 and report like real ones.
        </Text>
        <div className={classes.counts}>
          <CountField
            label="HTTP"
            value={http}
            onChange={(value) => changeFleetForm({ http: value })}
            testId="fleet-http"
          />
          <CountField
            label="MQTT"
            value={mqtt}
            onChange={(value) => changeFleetForm({ mqtt: value })}
            testId="fleet-mqtt"
          />
          <CountField
            label="LwM2M"
            value={lwm2m}
            onChange={(value) => changeFleetForm({ lwm2m: value })}
            testId="fleet-lwm2m"
          />
          <CountField
            label="China Telecom"
            value={chinaTelecom}
            onChange={(value) => changeFleetForm({ chinaTelecom: value })}
            testId="fleet-telecom"
          />
          <CountField
            label="Failing, %"
            max={100}
            value={failPercent}
            onChange={(value) => changeFleetForm({ failPercent: value })}
            testId="fleet-failing"
          />
          <CountField
            label="Falling silent, %"
            max={100}
            value={silentPercent}
            onChange={(value) => changeFleetForm({ silentPercent: value })}
            testId="fleet-silent"
          />
        </div>
        <Group grow gap="xs" align="flex-start">
          <Select
            label="Component"
            allowDeselect={false}
            data={ids}
            value={componentId}
            onChange={(value) => changeFleetForm({ componentId: value })}
          />
          <Autocomplete
            label="Runs version"
            size="xs"
            data={versions}
            value={fromVersion}
            onChange={(value) => changeFleetForm({ fromVersion: value.trim() })}
            data-testid="fleet-version"
          />
        </Group>
        <FleetBehaviour />
        <Group gap="sm" wrap="nowrap">
          {fleet?.running ? (
            <Button
              variant="default"
              loading={isFleetBusy}
              onClick={() => void stopFleet()}
              data-testid="fleet-stop"
            >
              Stop the simulated devices
            </Button>
          ) : (
            <Button
              loading={isFleetBusy}
              disabled={missing !== null}
              onClick={() =>
                void startFleet({
                  productId: product.id,
                  componentId,
                  fromVersion,
                  http,
                  mqtt,
                  lwm2m,
                  chinaTelecom,
                  failShare: failPercent / 100,
                  silentShare: silentPercent / 100,
                  lowBattery,
                  weakSignal,
                  users,
                })
              }
              data-testid="fleet-start"
            >
              Start {pluralText(total, 'device')}
            </Button>
          )}
          {missing !== null && (
            <Text size="xs" c="dimmed">
              {missing}
            </Text>
          )}
        </Group>
        {fleet?.running && (
          <Text size="xs" className="digits" data-testid="fleet-status">
            {countText(fleet.http)} HTTP, {countText(fleet.mqtt)} MQTT, {countText(fleet.lwm2m)}{' '}
            LwM2M; {countText(fleet.updated)} updated, {countText(fleet.failed)} failed.
          </Text>
        )}
      </Stack>
    </Section>
  );
}
