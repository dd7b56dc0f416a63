import { Select } from '@mantine/core';
import type { Component } from '../../shared/domain/product.ts';

/** What people read for the type of a component. */
export const typeWords = { module: 'module', mcu: 'MCU' } as const;

/** Chooses the component of a product that a view works on. */
export function ComponentSelect(props: {
  readonly components: readonly Component[];
  readonly value: string;
  readonly onChange: (componentId: string) => void;
}) {
  return (
    <Select
      aria-label="Component"
      w={230}
      allowDeselect={false}
      data={props.components.map((component) => ({
        value: component.id,
        label: `${component.id}, ${typeWords[component.type]}`,
      }))}
      value={props.value}
      onChange={(value) => value !== null && props.onChange(value)}
      data-testid="component-select"
    />
  );
}
