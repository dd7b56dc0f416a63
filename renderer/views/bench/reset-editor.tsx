import { Button, Group, Select, Stack, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { Connection, ResetTrial } from '../../../shared/domain/connection.ts';
import { parseResetSequence, resetTemplates } from '../../../shared/domain/reset-sequence.ts';
import { faultText, isFault, type TextFault } from '../../../shared/domain/text-fault.ts';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import classes from './connection.module.css';

const templates = resetTemplates.map(({ id, name }) => ({ value: id, label: name }));

/** How the board is reset into its bootloader, step by step, tried and saved. */
export function ResetEditor(props: {
  readonly connection: Connection;
  readonly onChange: (connection: Connection) => void;
}) {
  const { connection, onChange } = props;
  const { port, board, memory } = connection;
  const act = useStudio((state) => state.act);
  const saved = memory.resetSequence ?? '';
  const [text, setText] = useState(saved);
  const [trial, setTrial] = useState<ResetTrial | null>(null);
  const [isTrying, setTrying] = useState(false);
  const parsed = text.trim() === '' ? null : parseResetSequence(text);
  const fault = parsed && isFault(parsed) ? parsed : null;
  const change = (next: string) => {
    setText(next);
    setTrial(null);
  };
  const save = () =>
    act(async () =>
      onChange(await call('bench.connection.save', { port, resetSequence: text.trim() })),
    );
  const tryIt = async () => {
    setTrying(true);
    setTrial(null);
    await act(async () =>
      setTrial(await call('bench.connection.try', { port, resetSequence: text })),
    );
    setTrying(false);
  };
  return (
    <Stack gap="xs" data-testid="reset-editor">
      <Select
        label="Reset sequence"
        description="Steps of DTR and RTS that bring the board into its bootloader; 1 is asserted, a low level at the adapter. Empty: what the protocol does by itself."
        descriptionProps={{ fz: 12 }}
        placeholder="Begin with a template…"
        data={templates}
        value={resetTemplates.find((template) => template.text === text.trim())?.id ?? null}
        onChange={(id) => change(resetTemplates.find((template) => template.id === id)?.text ?? '')}
        maw={520}
      />
      <Textarea
        aria-label="Steps of the reset sequence"
        placeholder="dtr=1 rts=0; wait 100ms; dtr=0"
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        error={fault && faultText(fault)}
        spellCheck={false}
        autosize
        minRows={2}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
        data-testid="reset-text"
      />
      {fault && <FaultPlace text={text} fault={fault} />}
      <Group gap="xs">
        <Button
          variant="default"
          disabled={!parsed || fault !== null}
          loading={isTrying}
          onClick={() => void tryIt()}
          data-testid="reset-try"
        >
          Try it
        </Button>
        <Button
          disabled={fault !== null || text.trim() === saved}
          onClick={() => void save()}
          data-testid="reset-save"
        >
          Save for this board
        </Button>
        <Text size="xs" c="dimmed">
          {text.trim() !== saved
            ? `Not saved for ${board} yet.`
            : saved !== '' && `Saved; every flash of ${board} begins with it.`}
        </Text>
      </Group>
      {trial && <TrialText trial={trial} />}
    </Stack>
  );
}

/** The text once more with the wrong part marked. */
function FaultPlace({ text, fault }: { readonly text: string; readonly fault: TextFault }) {
  const end = fault.position + fault.length;
  return (
    <pre className={classes.snippet} aria-hidden>
      {text.slice(0, fault.position)}
      <mark className={classes.fault}>{text.slice(fault.position, end) || ' '}</mark>
      {text.slice(end)}
    </pre>
  );
}

function TrialText({ trial }: { readonly trial: ResetTrial }) {
  const { hasModemLines, received } = trial;
  const words = !hasModemLines
    ? 'This port has no modem lines: nothing was played. A pseudo terminal has none.'
    : received === null
      ? 'Played; the open console shows what the board says.'
      : received === ''
        ? 'Played; the board said nothing within a second, as most bootloaders do.'
        : 'Played; within a second the board said:';
  return (
    <div role="status" data-testid="reset-trial">
      <Text>{words}</Text>
      {received && (
        <pre className={classes.snippet} tabIndex={0} aria-label="What the board said" role="group">
          {received}
        </pre>
      )}
    </div>
  );
}
