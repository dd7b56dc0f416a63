import { Button, Group, Select, TextInput } from '@mantine/core';
import { type FormEvent, type KeyboardEvent, useRef, useState } from 'react';
import { parseHex } from '../../../shared/domain/hex-bytes.ts';
import { faultText, isFault } from '../../../shared/domain/text-fault.ts';
import { type SendAs, useConsole } from '../../stores/console.ts';
import classes from './console.module.css';

const ways: readonly { readonly value: SendAs; readonly label: string }[] = [
  { value: 'lf', label: 'Text + LF' },
  { value: 'cr', label: 'Text + CR' },
  { value: 'crlf', label: 'Text + CR LF' },
  { value: 'none', label: 'Text, no end' },
  { value: 'hex', label: 'Hex bytes' },
];

/** Sends a line or bytes; the arrow keys bring back what was sent. */
export function ConsoleSendBar() {
  const { state, sendAs, setSendAs, history, send } = useConsole();
  const [typed, setTyped] = useState('');
  const [past, setPast] = useState(-1);
  const inputRef = useRef<HTMLInputElement>(null);
  const bytes = sendAs === 'hex' && typed !== '' ? parseHex(typed) : null;
  const fault = bytes && isFault(bytes) ? bytes : null;
  const isOpen = state?.state === 'open';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (fault) {
      inputRef.current?.setSelectionRange(fault.position, fault.position + fault.length);
      return;
    }
    if (!isOpen || (sendAs === 'hex' && typed === '')) return;
    if (await send(typed)) {
      setTyped('');
      setPast(-1);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.max(-1, Math.min(history.length - 1, past + step));
    setPast(next);
    setTyped(history[next] ?? '');
  };
  const label = sendAs === 'hex' ? 'Bytes to send, hexadecimal' : 'Line to send';
  return (
    <form className={classes.bar} onSubmit={(event) => void submit(event)}>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <TextInput
          ref={inputRef}
          aria-label={label}
          placeholder={sendAs === 'hex' ? '7f 00 a5' : 'Send a line'}
          value={typed}
          error={fault && faultText(fault)}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          spellCheck={false}
          autoComplete="off"
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          style={{ flex: 1 }}
          data-testid="console-input"
        />
        <Select
          aria-label="What is sent"
          allowDeselect={false}
          data={[...ways]}
          value={sendAs}
          onChange={(value) => value !== null && setSendAs(value)}
          w={118}
        />
        <Button type="submit" disabled={!isOpen || fault !== null} data-testid="console-send">
          Send
        </Button>
      </Group>
    </form>
  );
}
