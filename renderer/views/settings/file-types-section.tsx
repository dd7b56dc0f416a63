import { Stack, Text } from '@mantine/core';
import { defaultFileTypes } from '../../../shared/domain/limits.ts';
import { useStudio } from '../../stores/studio.ts';
import { Section } from '../../widgets/section.tsx';
import { EditableList } from './editable-list.tsx';
import { fileTypeProblem } from './setting-rules.ts';
import classes from './settings-view.module.css';

/** The file types that a version package may hold, and the user's own ones. */
export function FileTypesSection() {
  const { settings, act, saveSettings } = useStudio();
  const own = settings?.fileTypes ?? [];
  return (
    <Section title="File types">
      <Stack gap="sm">
        <Text c="dimmed">Always allowed</Text>
        <ul className={classes.chips} aria-label="Built-in file types">
          {defaultFileTypes.map((type) => (
            <li key={type}>{type}</li>
          ))}
        </ul>
        <Text c="dimmed">
          {own.length === 0 ? 'Added by this workspace: none' : 'Added by this workspace'}
        </Text>
        <EditableList
          label="Added file types"
          placeholder=".rbl"
          items={own}
          problemOf={(type) => fileTypeProblem(type, own)}
          onChange={(fileTypes) => act(() => saveSettings({ fileTypes: [...fileTypes] }))}
          testId="file-types"
        />
      </Stack>
    </Section>
  );
}
