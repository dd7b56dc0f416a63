import { Button, Select, Switch, TextInput } from '@mantine/core';
import { ScrollText, Search } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { LogEntry } from '../../../shared/contract/contract.ts';
import { useStudio } from '../../stores/studio.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { clockText } from '../../widgets/format-text.ts';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import { useCopy } from '../../widgets/use-copy.ts';
import { ClippedText } from '../../widgets/value-text.tsx';
import classes from './dock.module.css';
import { filterLog, type LogFilter, type LogLevel, logMessage, logText } from './log-filter.ts';

const levels: Record<LogLevel, { readonly tone: Tone; readonly word: string }> = {
  debug: { tone: 'neutral', word: 'Debug' },
  info: { tone: 'info', word: 'Info' },
  warn: { tone: 'warn', word: 'Warning' },
  error: { tone: 'bad', word: 'Error' },
};

const levelChoices = [
  { value: 'debug', label: 'All levels' },
  { value: 'info', label: 'Info and worse' },
  { value: 'warn', label: 'Warnings and errors' },
  { value: 'error', label: 'Errors only' },
];

const columns: readonly GridColumn<LogEntry>[] = [
  { id: 'at', title: 'Time', widthPx: 80, render: (entry) => clockText(entry.at) },
  {
    id: 'level',
    title: 'Level',
    widthPx: 105,
    render: (entry) => <ToneBadge {...levels[entry.level]} />,
  },
  { id: 'room', title: 'Room', widthPx: 100, render: (entry) => entry.room },
  {
    id: 'message',
    title: 'Message',
    render: (entry) => <ClippedText text={logMessage(entry)} />,
  },
];

/** The engine's log with filters; it follows new entries unless that is switched off. */
export function LogTab() {
  const log = useStudio((state) => state.log);
  const [filter, setFilter] = useState<LogFilter>({ level: 'debug', room: null, text: '' });
  const [follow, setFollow] = useState(true);
  const { state, copy } = useCopy();
  const shown = useMemo(() => filterLog(log, filter), [log, filter]);
  const rooms = useMemo(() => [...new Set(log.map((entry) => entry.room))].sort(), [log]);
  const copyWords = { idle: 'Copy', copied: 'Copied', refused: 'Refused' };
  return (
    <>
      <div className={classes.filters}>
        <TextInput
          w={220}
          aria-label="Filter the log by text"
          placeholder="Filter"
          leftSection={<Search size={14} aria-hidden />}
          value={filter.text}
          onChange={(event) => setFilter({ ...filter, text: event.currentTarget.value })}
        />
        <Select
          w={180}
          aria-label="Level"
          data={levelChoices}
          value={filter.level}
          allowDeselect={false}
          onChange={(level) => level && setFilter({ ...filter, level: level as LogLevel })}
        />
        <Select
          w={150}
          aria-label="Room"
          placeholder="All rooms"
          clearable
          data={rooms}
          value={filter.room}
          onChange={(room) => setFilter({ ...filter, room })}
        />
        <Switch
          label="Follow"
          checked={follow}
          onChange={(event) => setFollow(event.currentTarget.checked)}
        />
        <Button
          ml="auto"
          variant="default"
          disabled={shown.length === 0}
          onClick={() => copy(logText(shown))}
        >
          {copyWords[state]}
        </Button>
      </div>
      <DataGrid
        label="Log"
        columns={columns}
        rowCount={shown.length}
        getRow={(index) => shown[index]}
        rowKey={(entry) => String(entry.seq)}
        followEnd={follow}
        empty={<EmptyState icon={ScrollText} sentence="No log entry passes the filter." />}
        testId="log-grid"
      />
    </>
  );
}
