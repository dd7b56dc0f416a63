import {
  ActionIcon,
  Button,
  Group,
  SegmentedControl,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { Plus, X } from 'lucide-react';
import { mandatoryLanguages } from '../../../shared/domain/plan-strategy.ts';
import { Section } from '../../widgets/section.tsx';
import type { PlanOptions, UpgradeText } from './plan-options.ts';

const languageTitles: Readonly<Record<string, string>> = { zh: 'Chinese (zh)', en: 'English (en)' };
const maxTextLength = 1000;

/** Whether devices upgrade by themselves or ask their users, and what users read. */
export function ModeSection(props: {
  readonly options: PlanOptions;
  readonly onChange: (change: Partial<PlanOptions>) => void;
}) {
  const { options, onChange } = props;
  const setText = (index: number, change: Partial<UpgradeText>): void =>
    onChange({
      texts: options.texts.map((entry, at) => (at === index ? { ...entry, ...change } : entry)),
    });
  const isMandatory = (language: string): boolean =>
    mandatoryLanguages.some((mandatory) => mandatory === language);
  return (
    <Section title="How" testId="plan-mode-section">
      <Stack gap="sm">
        <SegmentedControl
          aria-label="Mode"
          data={[
            { value: 'silent', label: 'Silent' },
            { value: 'manual', label: 'Manual' },
          ]}
          value={options.mode}
          onChange={(value) => onChange({ mode: value === 'manual' ? 'manual' : 'silent' })}
          style={{ alignSelf: 'flex-start' }}
          data-testid="plan-mode"
        />
        <Text size="xs" c="dimmed">
          {options.mode === 'silent'
            ? 'Devices upgrade without asking.'
            : 'Users confirm, appoint a window or refuse. What they read, in Chinese and English at least:'}
        </Text>
        {options.mode === 'manual' &&
          options.texts.map(({ language, text }, index) => (
            <Group key={index} gap="xs" align="flex-start" wrap="nowrap">
              {!isMandatory(language) && (
                <TextInput
                  label="Language"
                  placeholder="de"
                  w={90}
                  maxLength={16}
                  value={language}
                  onChange={(event) =>
                    setText(index, { language: event.currentTarget.value.trim() })
                  }
                />
              )}
              <Textarea
                label={
                  isMandatory(language) ? languageTitles[language] : `Text (${language || '?'})`
                }
                withAsterisk={isMandatory(language)}
                rows={2}
                maxLength={maxTextLength}
                style={{ flex: 1 }}
                value={text}
                onChange={(event) => setText(index, { text: event.currentTarget.value })}
                data-testid={`plan-text-${language}`}
              />
              {!isMandatory(language) && (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  mt={24}
                  aria-label={`Remove the text ${language}`}
                  onClick={() => onChange({ texts: options.texts.toSpliced(index, 1) })}
                >
                  <X size={14} aria-hidden />
                </ActionIcon>
              )}
            </Group>
          ))}
        {options.mode === 'manual' && (
          <Button
            variant="default"
            leftSection={<Plus size={14} aria-hidden />}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => onChange({ texts: [...options.texts, { language: '', text: '' }] })}
          >
            Add a language
          </Button>
        )}
      </Stack>
    </Section>
  );
}
