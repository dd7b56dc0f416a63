import { Group, SegmentedControl, Text } from '@mantine/core';
import type { Settings } from '../../../shared/contract/contract.ts';
import { useStudio } from '../../stores/studio.ts';
import { Section } from '../../widgets/section.tsx';

const themes = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

/** Chooses light, dark or what the system says. */
export function AppearanceSection() {
  const theme = useStudio((state) => state.settings?.theme ?? 'system');
  const { act, saveSettings } = useStudio();
  return (
    <Section title="Appearance">
      <Group justify="space-between">
        <Text>Theme</Text>
        <SegmentedControl
          aria-label="Theme"
          data={themes}
          value={theme}
          onChange={(value) => void act(() => saveSettings({ theme: value as Settings['theme'] }))}
          data-testid="theme"
        />
      </Group>
    </Section>
  );
}
