import { ActionIcon, Button, Group, TextInput, Tooltip } from '@mantine/core';
import { ChevronDown, ChevronUp, CornerDownLeft } from 'lucide-react';
import { type FormEvent, type RefObject, useState, useSyncExternalStore } from 'react';
import { hexText } from '../../../widgets/format-text.ts';
import type { BytePages } from './byte-pages.ts';
import classes from './diff-view.module.css';
import { type HexNavigator, parseAddress } from './hex-navigator.ts';
import { byteWords, rowMark } from './hex-row.ts';

/** What moves the panes, and what lies under their cursor. */
export function PaneToolbar(props: {
  readonly navigator: HexNavigator;
  readonly pages: BytePages;
  readonly goToRef: RefObject<HTMLInputElement | null>;
  readonly onChange: (direction: 1 | -1) => void;
  /** Says that there is no further change. */
  readonly note: string;
  readonly asTable: boolean;
  readonly onAsTable: (asTable: boolean) => void;
}) {
  const { navigator, pages, asTable } = props;
  return (
    <div className={classes.toolbar}>
      <GoTo navigator={navigator} inputRef={props.goToRef} />
      <Group gap={4} wrap="nowrap">
        <Tooltip label="Change before (p, Shift+F7)">
          <ActionIcon
            variant="default"
            aria-label="Change before"
            onClick={() => props.onChange(-1)}
            data-testid="previous-change"
          >
            <ChevronUp size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Next change (n, F7)">
          <ActionIcon
            variant="default"
            aria-label="Next change"
            onClick={() => props.onChange(1)}
            data-testid="next-change"
          >
            <ChevronDown size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
      <Cursor navigator={navigator} pages={pages} note={props.note} />
      {!asTable && (
        <span className={classes.legend} aria-hidden>
          {(['changed', 'added', 'removed'] as const).map((state) => (
            <span key={state}>
              {rowMark([state])} <b data-state={state}>00</b> {state}
            </span>
          ))}
        </span>
      )}
      <Button
        size="compact-xs"
        variant="subtle"
        onClick={() => props.onAsTable(!asTable)}
        data-testid="hex-as-table"
      >
        {asTable ? 'Show as panes' : 'Show as table'}
      </Button>
    </div>
  );
}

function GoTo(props: {
  readonly navigator: HexNavigator;
  readonly inputRef: RefObject<HTMLInputElement | null>;
}) {
  const { navigator, inputRef } = props;
  const [text, setText] = useState('');
  const [why, setWhy] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const address = parseAddress(text);
    const problem =
      address === null
        ? 'Type an address in hexadecimal, 0x0800_1000 for example.'
        : navigator.toAddress(address);
    setWhy(problem);
    if (problem === null) document.getElementById('hex-panes')?.focus();
  };
  return (
    <form className={classes.goTo} onSubmit={submit}>
      <TextInput
        ref={inputRef}
        w={170}
        placeholder="Go to address (g)"
        aria-label="Go to address"
        value={text}
        error={why !== null}
        aria-describedby={why === null ? undefined : 'go-to-problem'}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setWhy(null);
        }}
        rightSection={
          <ActionIcon type="submit" size={22} aria-label="Go">
            <CornerDownLeft size={14} aria-hidden />
          </ActionIcon>
        }
        data-testid="go-to"
      />
      {why !== null && (
        <span id="go-to-problem" role="alert" className={classes.goToProblem}>
          {why}
        </span>
      )}
    </form>
  );
}

function Cursor(props: {
  readonly navigator: HexNavigator;
  readonly pages: BytePages;
  readonly note: string;
}) {
  const { navigator, pages, note } = props;
  const { cursor } = useSyncExternalStore(navigator.subscribe, navigator.position);
  useSyncExternalStore(pages.subscribe, pages.arrivals);
  const found = pages.at(cursor);
  const address = hexText(navigator.map.addressAt(cursor));
  const was = found?.page.old[found.at] ?? -1;
  const is = found?.page.new[found.at] ?? -1;
  const words =
    was === is ? `${byteWords(is)} in both` : `old ${byteWords(was)}, new ${byteWords(is)}`;
  return (
    <output id="hex-cursor" className={classes.cursor} aria-live="polite" data-testid="hex-cursor">
      {note !== '' ? note : `${address}: ${found ? words : 'loading'}`}
    </output>
  );
}
