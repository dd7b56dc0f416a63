import { Stack, Text } from '@mantine/core';
import { useStudio } from '../../stores/studio.ts';
import { Section } from '../../widgets/section.tsx';
import { EditableList } from './editable-list.tsx';
import { iccidPrefixProblem } from './setting-rules.ts';

/** The table of ICCID prefixes that mean a China Telecom SIM. */
export function ChinaTelecomSection() {
  const { settings, act, saveSettings } = useStudio();
  const prefixes = settings?.chinaTelecomIccidPrefixes ?? [];
  return (
    <Section title="China Telecom SIMs">
      <Stack gap="sm">
        <Text>
          Devices on these SIMs are left out of every plan, by name. IMSI 460-03, 460-05 and 460-11
          always count; ICCID prefixes are kept here.
        </Text>
        {prefixes.length === 0 && (
          <Text c="orange">The table is empty: only the IMSI excludes a device.</Text>
        )}
        <EditableList
          label="ICCID prefixes"
          placeholder="898603 or 898611, and more digits to narrow it"
          items={prefixes}
          problemOf={(prefix) => iccidPrefixProblem(prefix, prefixes)}
          onChange={(next) => act(() => saveSettings({ chinaTelecomIccidPrefixes: [...next] }))}
          testId="iccid"
        />
      </Stack>
    </Section>
  );
}
