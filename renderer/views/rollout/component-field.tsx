import { Checkbox, Group, Select, Stack, Text } from '@mantine/core';
import { rebuilds } from '../../../shared/domain/package-offers.ts';
import { byteText } from '../../../shared/domain/progress-text.ts';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import type { ComponentChoice, ComponentOffer } from './plan-choices.ts';

const noFull = 'none';

/** What the plan delivers for one component: the full package and the deltas by source version. */
export function ComponentField(props: {
  readonly offer: ComponentOffer;
  readonly choice: ComponentChoice;
  readonly onChange: (choice: ComponentChoice) => void;
}) {
  const { offer, choice, onChange } = props;
  const full = offer.fulls.find(({ id }) => id === choice.fullPackageId);
  const target = (full ?? offer.fulls[0] ?? offer.deltas[0])?.targetVersion ?? '';
  const takeDelta = (id: string, isTaken: boolean): void =>
    onChange({
      ...choice,
      deltaPackageIds: isTaken
        ? [...choice.deltaPackageIds, id]
        : choice.deltaPackageIds.filter((other) => other !== id),
    });
  return (
    <Stack gap={6} data-component={offer.componentId}>
      <Checkbox
        label={`${offer.componentId} (${offer.componentName}) to ${target}`}
        checked={choice.included}
        onChange={(event) => onChange({ ...choice, included: event.currentTarget.checked })}
      />
      {choice.included && (
        <Stack gap={6} pl={26}>
          <Select
            label="Full package, for every other version"
            allowDeselect={false}
            data={[
              ...offer.fulls.map((pkg) => ({ value: pkg.id, label: packageText(pkg) })),
              { value: noFull, label: 'None: deltas only' },
            ]}
            value={choice.fullPackageId ?? noFull}
            onChange={(value) =>
              onChange({ ...choice, fullPackageId: value === noFull ? null : value })
            }
          />
          {offer.deltas.length === 0 ? (
            <Text size="xs" c="dimmed">
              No delta package: every device gets the full one.
            </Text>
          ) : (
            <Group gap="md">
              {offer.deltas.map((delta) => (
                <Checkbox
                  key={delta.id}
                  label={deltaText(delta, full)}
                  checked={choice.deltaPackageIds.includes(delta.id)}
                  onChange={(event) => takeDelta(delta.id, event.currentTarget.checked)}
                />
              ))}
            </Group>
          )}
        </Stack>
      )}
    </Stack>
  );
}

const fileBytes = (pkg: VersionPackage): number =>
  pkg.files.reduce((sum, file) => sum + file.sizeBytes, 0);

function packageText(pkg: VersionPackage): string {
  return `${pkg.files.map(({ name }) => name).join(', ')}, ${byteText(fileBytes(pkg))}, ${pkg.sha256.slice(0, 12)}`;
}

function deltaText(delta: VersionPackage, full: VersionPackage | undefined): string {
  const text = `Delta from ${delta.sourceVersion ?? 'unknown'}, ${byteText(fileBytes(delta))}`;
  return rebuilds(delta, full) ? text : `${text} (rebuilds another image)`;
}
