import { Stack, Text } from '@mantine/core';
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

/** What is missing in one sentence, and the one action that helps. */
export function EmptyState(props: {
  readonly icon: LucideIcon;
  readonly sentence: string;
  /** The primary action, usually a button. */
  readonly action?: ReactNode;
  readonly testId?: string;
}) {
  const { icon: Icon } = props;
  return (
    <Stack align="center" justify="center" gap="sm" py="xl" px="md" data-testid={props.testId}>
      <Icon size={28} strokeWidth={1.5} aria-hidden style={{ opacity: 0.6 }} />
      <Text c="dimmed" ta="center" maw={440}>
        {props.sentence}
      </Text>
      {props.action}
    </Stack>
  );
}
