import { ActionIcon, Group, Input, Stack, Text } from '@mantine/core';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { moved } from './plan-options.ts';

/** In which order a device takes several components. */
export function SequenceField(props: {
  readonly componentIds: readonly string[];
  readonly onChange: (componentIds: readonly string[]) => void;
}) {
  const { componentIds, onChange } = props;
  return (
    <div>
      <Input.Label component="div" display="block">
        Upgrade sequence
      </Input.Label>
      <Stack gap={2} data-testid="plan-sequence">
        {componentIds.map((id, index) => (
          <Group key={id} gap="xs" wrap="nowrap">
            <Text className="digits">
              {index + 1}. {id}
            </Text>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`${id} earlier`}
              disabled={index === 0}
              onClick={() => onChange(moved(componentIds, index, -1))}
            >
              <ArrowUp size={14} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`${id} later`}
              disabled={index === componentIds.length - 1}
              onClick={() => onChange(moved(componentIds, index, 1))}
            >
              <ArrowDown size={14} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
      </Stack>
    </div>
  );
}
