import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** The head of a view: what it is, one line about what it works on, and its actions. */
export function ViewHeader(props: {
  readonly title: string;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
}) {
  return (
    <Group justify="space-between" align="center" wrap="nowrap" gap="md" mih={34}>
      <Group gap="sm" align="baseline" wrap="nowrap" style={{ minWidth: 0 }}>
        <Title order={1} style={{ whiteSpace: 'nowrap' }}>
          {props.title}
        </Title>
        {props.about !== undefined && (
          <Text component="div" c="dimmed" truncate>
            {props.about}
          </Text>
        )}
      </Group>
      <Group gap="xs" wrap="nowrap" justify="flex-end" style={{ flexShrink: 0 }}>
        {props.actions}
      </Group>
    </Group>
  );
}
