import { ActionIcon, Button, Stack, Text } from '@mantine/core';
import { Plus, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { FormatDialog } from '../../widgets/format-form/format-dialog.tsx';
import { pluralText } from '../../widgets/format-text.ts';
import { Section } from '../../widgets/section.tsx';
import classes from './settings-view.module.css';

/** The formats that this workspace describes, and the form that describes one. */
export function FormatsSection() {
  const act = useStudio((state) => state.act);
  const [formats, setFormats] = useState<readonly DescribedFormat[]>([]);
  const [dialog, setDialog] = useState<{ readonly format?: DescribedFormat } | null>(null);
  useEffect(() => {
    void act(async () => setFormats(await call('formats.list', {})));
  }, [act]);
  return (
    <Section
      title="Described formats"
      actions={
        <Button
          variant="default"
          size="compact-xs"
          leftSection={<Plus size={13} aria-hidden />}
          onClick={() => setDialog({})}
          data-testid="describe-format"
        >
          Describe a format…
        </Button>
      }
      testId="formats-section"
    >
      <Stack gap="sm">
        <Text c="dimmed">
          Containers that only their vendor knows: described once, checked field by field.
        </Text>
        {formats.length > 0 && (
          <ul className={classes.formats} aria-label="Described formats">
            {formats.map((format) => (
              <li key={format.name}>
                <Button
                  variant="subtle"
                  size="compact-xs"
                  onClick={() => setDialog({ format })}
                  aria-label={`Edit ${format.name}`}
                >
                  {format.name}
                </Button>
                <Text span c="dimmed" flex={1}>
                  {format.extensions.join(' ') || 'any extension'},{' '}
                  {pluralText(format.fields.length, 'field')},{' '}
                  {pluralText(format.checksums.length, 'checksum')}
                </Text>
                <ActionIcon
                  size={24}
                  aria-label={`Remove ${format.name}`}
                  onClick={() =>
                    void act(async () =>
                      setFormats(await call('formats.remove', { name: format.name })),
                    )
                  }
                >
                  <X size={13} aria-hidden />
                </ActionIcon>
              </li>
            ))}
          </ul>
        )}
      </Stack>
      {dialog && <FormatDialog {...dialog} onSaved={setFormats} onClose={() => setDialog(null)} />}
    </Section>
  );
}
