import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useStudio } from '../../stores/studio.ts';
import { Section } from '../../widgets/section.tsx';

const minNameLength = 2;

/** The name that version packages are recorded with. */
export function PersonSection() {
  const person = useStudio((state) => state.settings?.person ?? '');
  const { act, saveSettings } = useStudio();
  const [typed, setTyped] = useState<string | null>(null);
  const name = (typed ?? person).trim();
  const canSave = name.length >= minNameLength && name !== person;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (canSave && (await act(() => saveSettings({ person: name })))) setTyped(null);
  };
  return (
    <Section title="Your name" testId="person-section">
      <Stack gap="sm">
        <Text c="dimmed">
          Version packages made here are recorded with it. A waiver counts at the gate when another
          person gave it.
        </Text>
        <form onSubmit={(event) => void save(event)}>
          <Group gap="xs" wrap="nowrap">
            <TextInput
              flex={1}
              aria-label="Your name"
              value={typed ?? person}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
            <Button type="submit" variant="default" disabled={!canSave}>
              Save
            </Button>
          </Group>
        </form>
      </Stack>
    </Section>
  );
}
