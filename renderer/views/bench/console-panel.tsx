import { Group, Text } from '@mantine/core';
import { SquareTerminal } from 'lucide-react';
import { useEffect } from 'react';
import type { ConsoleState } from '../../../shared/domain/console.ts';
import { byteText } from '../../../shared/domain/progress-text.ts';
import { useConsole } from '../../stores/console.ts';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { countText, pluralText } from '../../widgets/format-text.ts';
import { Section } from '../../widgets/section.tsx';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import classes from './console.module.css';
import { ConsoleFilterBar } from './console-filter-bar.tsx';
import { ConsoleList } from './console-list.tsx';
import { ConsoleSendBar } from './console-send-bar.tsx';
import { ConsoleToolbar } from './console-toolbar.tsx';

const stateWords: Record<ConsoleState['state'], { readonly tone: Tone; readonly word: string }> = {
  open: { tone: 'good', word: 'Open' },
  flashing: { tone: 'busy', word: 'Being flashed' },
  lost: { tone: 'warn', word: 'Port lost' },
  closed: { tone: 'neutral', word: 'Closed' },
};

/** The serial console of one port: what the board says, and what is sent to it. */
export function ConsolePanel() {
  const { state, held, follow } = useConsole();
  useEffect(() => {
    const stop = new AbortController();
    void follow(stop.signal);
    return () => stop.abort();
  }, [follow]);
  const isEmpty = state === null && held.rows.length === 0;
  return (
    <Section
      title="Serial console"
      fill
      flush
      testId="console"
      actions={state && <ToneBadge {...stateWords[state.state]} />}
    >
      <ConsoleToolbar />
      {isEmpty ? (
        <EmptyState
          icon={SquareTerminal}
          sentence="Open the console of a port to see what its board says, and to send to it. It hands the port over to a flash and takes it back by itself."
        />
      ) : (
        <>
          <ConsoleFilterBar />
          <ConsoleList />
          <ConsoleSendBar />
          {state && <StatusLine state={state} />}
        </>
      )}
    </Section>
  );
}

/** What went over the line, and how much of it is kept. */
function StatusLine({ state }: { readonly state: ConsoleState }) {
  const { receivedBytes, sentBytes, ring } = state;
  return (
    <Group className={classes.bar} gap="md" data-testid="console-status">
      <Text size="xs" c="dimmed" className="digits">
        {byteText(receivedBytes)} received, {byteText(sentBytes)} sent
      </Text>
      <Text size="xs" c="dimmed" className="digits">
        {pluralText(ring.lines, 'line')} kept, {byteText(ring.bytes)} of{' '}
        {byteText(ring.capacityBytes)}
        {ring.droppedLines > 0 && `; ${countText(ring.droppedLines)} older ones dropped`}
      </Text>
    </Group>
  );
}
