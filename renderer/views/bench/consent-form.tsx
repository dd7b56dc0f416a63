import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useBench } from '../../stores/bench.ts';

/** Takes off the read-out protection of a board, which erases it, once the board's name has been typed. */
export function ConsentForm({ port }: { readonly port: string }) {
  const unprotect = useBench((state) => state.unprotect);
  const [name, setName] = useState('');
  return (
    <Group gap="xs">
      <TextInput
        size="xs"
        aria-label="Name of the board to erase"
        placeholder="name of the board"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button
        size="compact-xs"
        color="red"
        disabled={name.trim() === ''}
        onClick={() => void unprotect(port, name.trim())}
      >
        Erase everything and flash
      </Button>
    </Group>
  );
}
