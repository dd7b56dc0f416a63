import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { call, pickTarget } from '../rpc/client.ts';
import { useStudio } from '../stores/studio.ts';

/** Saves a text, made when it is wanted, where the user wants it. */
export function SaveTextButton(props: {
  readonly label: string;
  /** Of the dialog. */
  readonly title: string;
  readonly fileName: string;
  readonly makeText: () => string | Promise<string>;
}) {
  const act = useStudio((state) => state.act);
  const [saved, setSaved] = useState<string | null>(null);
  const save = () =>
    void act(async () => {
      setSaved(null);
      const target = await pickTarget({ title: props.title, suggestedName: props.fileName });
      if (target === null) return;
      await call('text.save', { out: target.handle, text: await props.makeText() });
      setSaved(target.name);
    });
  return (
    <>
      <Button variant="default" size="compact-xs" onClick={save}>
        {props.label}
      </Button>
      <Text size="xs" role="status" display={saved === null ? 'none' : undefined}>
        {saved !== null && `Saved as ${saved}`}
      </Text>
    </>
  );
}
