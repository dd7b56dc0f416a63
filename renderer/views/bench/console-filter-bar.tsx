import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  Popover,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { Eraser, Highlighter, Pause, Play, X } from 'lucide-react';
import { useRef, useState } from 'react';
import type { MarkTone } from '../../../shared/domain/console-names.ts';
import { useConsole } from '../../stores/console.ts';
import classes from './console.module.css';

const typingMs = 250;
const toneNames: Record<MarkTone, string> = {
  bad: 'red',
  warn: 'orange',
  info: 'blue',
  good: 'green',
};
const tones = Object.entries(toneNames).map(([value, label]) => ({
  value: value as MarkTone,
  label,
}));

/** What of the console is shown, and how. */
export function ConsoleFilterBar() {
  const { filterProblem, form, setForm, hasTimes, setTimes } = useConsole();
  const { isPaused, setPaused, clear } = useConsole();
  const PauseIcon = isPaused ? Play : Pause;
  const pauseWords = isPaused ? 'Go on' : 'Pause: nothing moves, the line is still read';
  return (
    <Stack className={classes.bar} gap={4}>
      <Group gap="xs" wrap="wrap">
        <FilterInput />
        <HighlightRules />
        <SegmentedControl
          aria-label="How bytes are shown"
          data={[
            { value: 'text', label: 'Text' },
            { value: 'hex', label: 'Hex' },
          ]}
          value={form}
          onChange={(value) => setForm(value === 'hex' ? 'hex' : 'text')}
        />
        <Checkbox
          label="Times"
          checked={hasTimes}
          onChange={(event) => setTimes(event.currentTarget.checked)}
        />
        <Group gap={0} wrap="nowrap" ml="auto">
          <Tooltip label={pauseWords}>
            <ActionIcon
              aria-label={pauseWords}
              aria-pressed={isPaused}
              onClick={() => setPaused(!isPaused)}
              data-testid="console-pause"
            >
              <PauseIcon size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Clear: forget the lines that are kept">
            <ActionIcon aria-label="Clear" onClick={() => void clear()} data-testid="console-clear">
              <Eraser size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      {filterProblem && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert" data-testid="console-fault">
          {filterProblem.title}: {filterProblem.detail}
        </Text>
      )}
    </Stack>
  );
}

function FilterInput() {
  const { filter, setFilter } = useConsole();
  const [text, setText] = useState(filter?.text ?? '');
  const [isRegex, setRegex] = useState(filter?.isRegex ?? false);
  const apply = useDebouncedCallback((wanted: string, isExpression: boolean) => {
    setFilter(wanted === '' ? null : { text: wanted, isRegex: isExpression });
  }, typingMs);
  return (
    <>
      <TextInput
        aria-label="Show only lines that hold"
        placeholder="Filter"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          apply(event.currentTarget.value, isRegex);
        }}
        w={150}
        data-testid="console-filter"
      />
      <Checkbox
        label="Regex"
        title="RE2: every pattern takes linear time; no look-around, no back references"
        checked={isRegex}
        onChange={(event) => {
          setRegex(event.currentTarget.checked);
          apply(text, event.currentTarget.checked);
        }}
      />
    </>
  );
}

/** Texts that stand out beside the usual words of trouble. */
function HighlightRules() {
  const { rules, setRules } = useConsole();
  const [text, setText] = useState('');
  const [isRegex, setRegex] = useState(false);
  const [tone, setTone] = useState<MarkTone>('info');
  const inputRef = useRef<HTMLInputElement>(null);
  const add = () => {
    if (text === '') return;
    setRules([...rules, { text, isRegex, tone }]);
    setText('');
    // The button is off now, and would take the keyboard with it.
    inputRef.current?.focus();
  };
  return (
    <Popover position="bottom-start" width={320} withinPortal>
      <Popover.Target>
        <Button variant="default" leftSection={<Highlighter size={14} aria-hidden />}>
          Highlight{rules.length > 0 && ` (${rules.length})`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Text size="xs" c="dimmed">
            Words of trouble, as error, fail, panic, warning and timeout, stand out by themselves.
          </Text>
          {rules.map((rule, index) => (
            <Group key={`${rule.text} ${rule.tone}`} gap="xs" wrap="nowrap">
              <Text className={classes.rule} truncate>
                <mark data-tone={rule.tone}>{rule.text}</mark>
                {rule.isRegex && ' (regex)'}
              </Text>
              <ActionIcon
                aria-label={`Remove ${rule.text}`}
                onClick={() => setRules(rules.filter((_, other) => other !== index))}
              >
                <X size={14} aria-hidden />
              </ActionIcon>
            </Group>
          ))}
          <Group gap="xs" wrap="nowrap">
            <TextInput
              ref={inputRef}
              aria-label="Text that stands out"
              placeholder="Text"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => event.key === 'Enter' && add()}
              style={{ flex: 1 }}
            />
            <Select
              aria-label="Colour"
              allowDeselect={false}
              data={tones}
              value={tone}
              onChange={(value) => value !== null && setTone(value)}
              comboboxProps={{ withinPortal: false }}
              w={86}
            />
          </Group>
          <Group justify="space-between">
            <Checkbox
              label="Regex"
              checked={isRegex}
              onChange={(event) => setRegex(event.currentTarget.checked)}
            />
            <Button onClick={add} disabled={text === ''}>
              Add
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
