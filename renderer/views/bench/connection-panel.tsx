import { Autocomplete, Button, Group, Stack, Text } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import type { Advice, Connection } from '../../../shared/domain/connection.ts';
import { call, pickTarget } from '../../rpc/client.ts';
import { useBench } from '../../stores/bench.ts';
import { useConsole } from '../../stores/console.ts';
import { useStudio } from '../../stores/studio.ts';
import { Section } from '../../widgets/section.tsx';
import { ToneIcon } from '../../widgets/tone-badge.tsx';
import { useCopy } from '../../widgets/use-copy.ts';
import classes from './connection.module.css';
import { ResetEditor } from './reset-editor.tsx';

/** What helps with a board that does not answer: advice, its reset, the speed that works. */
export function ConnectionPanel() {
  const { port, setPort } = useConsole();
  const { ports, otherPaths } = useBench();
  const act = useStudio((state) => state.act);
  const [connection, setConnection] = useState<Connection | null>(null);
  const look = useCallback(
    () =>
      act(async () => {
        const report = port.trim() === '' ? null : await call('bench.connection', { port });
        if (useConsole.getState().port === port) setConnection(report);
      }),
    [act, port],
  );
  useEffect(() => void look(), [look]);
  const shown = connection?.port === port ? connection : null;
  return (
    <Section
      title="Connection"
      fill
      testId="connection"
      actions={
        <Button variant="default" disabled={port.trim() === ''} onClick={() => void look()}>
          Look again
        </Button>
      }
    >
      <Stack gap="md">
        <Autocomplete
          size="xs"
          label="Port"
          placeholder="/dev/ttyUSB0, /dev/serial/by-id/…, COM3"
          data={[...(ports ?? []).map(({ path }) => path), ...otherPaths]}
          value={port}
          onChange={setPort}
          maw={420}
          data-testid="connection-port"
        />
        {port.trim() === '' && (
          <Text c="dimmed">Choose a port, or type the path of one that is not listed.</Text>
        )}
        {shown && <AdviceList connection={shown} />}
        {shown && <Speed connection={shown} onChange={setConnection} />}
        {shown && <ResetEditor key={shown.port} connection={shown} onChange={setConnection} />}
      </Stack>
    </Section>
  );
}

function AdviceList({ connection }: { readonly connection: Connection }) {
  const { advice, port } = connection;
  if (advice.length === 0)
    return (
      <Group gap={6} wrap="nowrap" data-testid="advice-none">
        <ToneIcon tone="good" />
        <Text>
          {port.startsWith('virtual:')
            ? 'A virtual board: nothing stands in the way.'
            : 'Nothing stands in the way: the port is there, this user may open it, and no other program holds it.'}
        </Text>
      </Group>
    );
  return (
    <Stack gap="xs" role="list" aria-label="Advice">
      {advice.map((entry) => (
        <AdviceCard key={entry.id} advice={entry} port={port} />
      ))}
    </Stack>
  );
}

function AdviceCard({ advice, port }: { readonly advice: Advice; readonly port: string }) {
  const { id, tone, title, detail, command, rule } = advice;
  const act = useStudio((state) => state.act);
  const save = () =>
    act(async () => {
      const suggestedName = rule?.path.split('/').at(-1) ?? '60-slipway.rules';
      const target = await pickTarget({ title: `Save the rule as ${rule?.path}`, suggestedName });
      if (!target) return;
      await call('bench.connection.saveRule', { port, advice: id, out: target.handle });
    });
  return (
    <Stack gap={6} className={classes.card} role="listitem" data-testid={`advice-${id}`}>
      <Group gap={6} wrap="nowrap">
        <ToneIcon tone={tone} />
        <Text fw={600}>{title}</Text>
      </Group>
      <Text style={{ overflowWrap: 'anywhere' }}>{detail}</Text>
      {command !== null && <Snippet label="In a terminal" text={command} />}
      {rule && (
        <Snippet
          label={`In ${rule.path}`}
          text={rule.text.trimEnd()}
          action={
            <Button variant="default" size="compact-xs" onClick={() => void save()}>
              Save…
            </Button>
          }
        />
      )}
    </Stack>
  );
}

function Snippet(props: {
  readonly label: string;
  readonly text: string;
  readonly action?: React.ReactNode;
}) {
  const { state, copy } = useCopy();
  const words = { idle: 'Copy', copied: 'Copied', refused: 'The clipboard refused it' };
  return (
    <div>
      <Group gap="xs">
        <Text size="xs" c="dimmed">
          {props.label}
        </Text>
        <Button variant="default" size="compact-xs" onClick={() => copy(props.text)}>
          {words[state]}
        </Button>
        {props.action}
      </Group>
      <pre className={classes.snippet}>{props.text}</pre>
    </div>
  );
}

/** What is known of the speed of this board. */
function Speed(props: {
  readonly connection: Connection;
  readonly onChange: (connection: Connection) => void;
}) {
  const { port, memory } = props.connection;
  const act = useStudio((state) => state.act);
  const { baud, roundTripMs } = memory;
  const forget = () =>
    act(async () =>
      props.onChange(await call('bench.connection.save', { port, forgetBaud: true })),
    );
  if (!baud && roundTripMs === undefined) return null;
  return (
    <Group gap="xs" data-testid="connection-speed">
      {baud && (
        <>
          <Text>
            At {baud.wished} baud this board did not answer; {baud.worked} worked, and is where
            flashes begin.
          </Text>
          <Button variant="default" size="compact-xs" onClick={() => void forget()}>
            Forget
          </Button>
        </>
      )}
      {roundTripMs !== undefined && (
        <Text c="dimmed" className="digits">
          Answers took {roundTripMs.toFixed(1)} ms beside their time on the wire.
        </Text>
      )}
    </Group>
  );
}
