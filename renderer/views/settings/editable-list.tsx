import { ActionIcon, Button, Group, TextInput } from '@mantine/core';
import { Plus, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import classes from './settings-view.module.css';

/** A list of short texts that a person adds to and takes from. */
export function EditableList(props: {
  readonly label: string;
  readonly placeholder: string;
  readonly items: readonly string[];
  /** Why a text cannot be added, or null. */
  readonly problemOf: (text: string) => string | null;
  /** Resolves to true when the change has been saved. */
  readonly onChange: (items: readonly string[]) => Promise<boolean>;
  readonly testId: string;
}) {
  const { label, items, problemOf, onChange } = props;
  const [text, setText] = useState('');
  const wrong = problemOf(text);
  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (text === '' || wrong !== null) return;
    if (await onChange([...items, text])) setText('');
  };
  return (
    <>
      {items.length > 0 && (
        <ul className={classes.chips} aria-label={label}>
          {items.map((item) => (
            <li key={item}>
              {item}
              <ActionIcon
                size={24}
                aria-label={`Remove ${item}`}
                onClick={() => void onChange(items.filter((other) => other !== item))}
              >
                <X size={13} aria-hidden />
              </ActionIcon>
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={(event) => void add(event)}>
        <Group align="flex-start" gap="xs" wrap="nowrap">
          <TextInput
            flex={1}
            aria-label={`Add to ${label}`}
            placeholder={props.placeholder}
            value={text}
            error={wrong}
            onChange={(event) => setText(event.currentTarget.value.trim())}
            data-testid={`${props.testId}-input`}
          />
          <Button
            type="submit"
            variant="default"
            leftSection={<Plus size={14} aria-hidden />}
            disabled={text === '' || wrong !== null}
            data-testid={`${props.testId}-add`}
          >
            Add
          </Button>
        </Group>
      </form>
    </>
  );
}
