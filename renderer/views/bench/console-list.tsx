import { ActionIcon, Group, Text, TextInput, Tooltip } from '@mantine/core';
import { ArrowDownToLine, ChevronDown, ChevronUp } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from 'react';
import { type ConsoleRow, findRows } from '../../stores/console-lines.ts';
import { useConsole } from '../../stores/console.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { countText } from '../../widgets/format-text.ts';
import classes from './console.module.css';

const letterPx = 7.3;
const textPx = { least: 160, most: 6000 } as const;
const timeFormat = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
const signs = { rx: '', tx: '→ ', note: '' } as const;

const timeColumn: GridColumn<ConsoleRow> = {
  id: 'time',
  title: 'Time',
  widthPx: 118,
  render: ({ atMs }) => <span className={classes.time}>{timeFormat.format(atMs)}</span>,
};
const asciiColumn: GridColumn<ConsoleRow> = {
  id: 'ascii',
  title: 'Characters',
  widthPx: 160,
  render: ({ ascii = '' }) => <span className={classes.line}>{ascii}</span>,
};

/** The lines of the console: the newest stay in sight until a person goes up to older ones. */
export function ConsoleList() {
  const { held, form, hasTimes, isPaused } = useConsole();
  const { rows, tail, goneRows } = held;
  const all = useMemo(() => (tail.length > 0 ? [...rows, ...tail] : rows), [rows, tail]);
  const [isFollowing, setFollowing] = useState(true);
  const [wanted, setWanted] = useState('');
  const [place, setPlace] = useState(0);
  const searchRef = useRef<HTMLInputElement>(null);
  const found = useMemo(() => findRows(all, wanted), [all, wanted]);
  const shown = found[Math.min(place, found.length - 1)];
  const longest = useMemo(
    () => all.reduce((most, { text }) => Math.max(most, text.length), 0),
    [all],
  );
  const columns = useMemo(() => {
    const minWidthPx = Math.min(textPx.most, Math.max(textPx.least, longest * letterPx + 40));
    const text: GridColumn<ConsoleRow> = {
      id: 'text',
      title: form === 'hex' ? 'Bytes, hexadecimal' : 'Line',
      minWidthPx,
      render: lineOf,
    };
    return [...(hasTimes ? [timeColumn] : []), text, ...(form === 'hex' ? [asciiColumn] : [])];
  }, [form, hasTimes, longest]);

  const go = (step: number) => {
    if (found.length === 0) return;
    setFollowing(false);
    setPlace((now) => (Math.min(now, found.length - 1) + step + found.length) % found.length);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'f' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      searchRef.current?.focus();
    }
    if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) setFollowing(false);
    if (event.key === 'End') setFollowing(true);
  };
  const hits =
    wanted === ''
      ? ''
      : found.length === 0
        ? 'none'
        : `${Math.min(place, found.length - 1) + 1} of ${countText(found.length)}`;
  return (
    <div className={classes.list} onKeyDown={onKeyDown}>
      <Group className={classes.find} gap="xs" wrap="nowrap">
        <TextInput
          ref={searchRef}
          aria-label="Find in the console"
          placeholder="Find (Ctrl+F)"
          value={wanted}
          onChange={(event) => {
            setWanted(event.currentTarget.value);
            setPlace(0);
            setFollowing(event.currentTarget.value === '');
          }}
          onKeyDown={(event) => event.key === 'Enter' && go(event.shiftKey ? -1 : 1)}
          rightSection={
            hits && (
              <Text size="xs" c="dimmed">
                {hits}
              </Text>
            )
          }
          rightSectionWidth={hits ? 84 : 0}
          w={220}
          data-testid="console-find"
        />
        <FindButton words="The one before" onClick={() => go(-1)} isOff={found.length === 0}>
          <ChevronUp size={16} aria-hidden />
        </FindButton>
        <FindButton words="The next one" onClick={() => go(1)} isOff={found.length === 0}>
          <ChevronDown size={16} aria-hidden />
        </FindButton>
        <Text size="xs" c="dimmed" ml="auto" data-testid="console-gone" role="status">
          {goneRows > 0 && `${countText(goneRows)} older lines are not shown`}
          {isPaused && ' Paused'}
        </Text>
        {!isFollowing && (
          <FindButton words="Follow the newest line again" onClick={() => setFollowing(true)}>
            <ArrowDownToLine size={16} aria-hidden />
          </FindButton>
        )}
      </Group>
      <div
        className={classes.rows}
        onWheel={(event) => event.deltaY < 0 && setFollowing(false)}
        data-testid="console-lines"
      >
        <DataGrid
          label="Lines of the serial console"
          columns={columns}
          rowCount={all.length}
          getRow={(index) => all[index]}
          rowKey={({ key }) => key}
          isSelected={(row) => shown !== undefined && all[shown] === row}
          showRow={isFollowing ? undefined : shown}
          followEnd={isFollowing}
          isDense
          empty={<Text c="dimmed">Nothing has come over the line yet.</Text>}
        />
      </div>
    </div>
  );
}

function FindButton(props: {
  readonly words: string;
  readonly onClick: () => void;
  readonly isOff?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <Tooltip label={props.words}>
      <ActionIcon aria-label={props.words} onClick={props.onClick} disabled={props.isOff ?? false}>
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

function lineOf({ kind, text, marks = [] }: ConsoleRow): ReactNode {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const [from, to, tone] of marks) {
    parts.push(
      text.slice(at, from),
      <mark key={from} data-tone={tone}>
        {text.slice(from, to)}
      </mark>,
    );
    at = to;
  }
  parts.push(text.slice(at));
  return (
    <span className={classes.line} data-kind={kind}>
      {signs[kind]}
      {parts}
    </span>
  );
}
