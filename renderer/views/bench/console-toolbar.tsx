import { Autocomplete, Button, Checkbox, Group, Select } from '@mantine/core';
import { useState } from 'react';
import { pickTarget } from '../../rpc/client.ts';
import { byteText } from '../../../shared/domain/progress-text.ts';
import { parities, type Parity } from '../../../shared/domain/console-names.ts';
import { useBench } from '../../stores/bench.ts';
import { useConsole } from '../../stores/console.ts';
import { useStudio } from '../../stores/studio.ts';
import classes from './console.module.css';

const usualRates = [9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600, 1_000_000];
const baudRates = { least: 50, most: 12_000_000 } as const;
const parityNames: Record<Parity, string> = { none: '8N1', even: '8E1', odd: '8O1' };

/** Which port, at which speed; its modem lines; the capture. */
export function ConsoleToolbar() {
  const { port, baudRate, parity, state, setPort, setLine, open, close } = useConsole();
  const ports = useBench((bench) => bench.ports) ?? [];
  const isOpen = state !== null;
  return (
    <Group className={classes.bar} gap="xs" wrap="wrap">
      <Autocomplete
        size="xs"
        aria-label="Port of the console"
        placeholder="Port, for example /dev/ttyUSB0"
        data={ports.map(({ path }) => path)}
        value={port}
        onChange={setPort}
        w={190}
        data-testid="console-port"
      />
      <BaudInput />
      <Select
        aria-label="Data bits, parity, stop bits"
        allowDeselect={false}
        data={parities.map((value) => ({ value, label: parityNames[value] }))}
        value={parity}
        onChange={(value) => value !== null && setLine({ baudRate, parity: value })}
        w={74}
      />
      <Button
        variant={isOpen ? 'default' : 'filled'}
        disabled={port.trim() === ''}
        onClick={() => void (isOpen ? close() : open())}
        data-testid="console-open"
      >
        {isOpen ? 'Close' : 'Open'}
      </Button>
      {isOpen && <ModemLines />}
      {isOpen && <CaptureButton />}
    </Group>
  );
}

/** A usual speed or any other; it counts when it is chosen, or typed to its end. */
function BaudInput() {
  const { baudRate, parity, setLine } = useConsole();
  const [text, setText] = useState(String(baudRate));
  const choose = (value: string) => {
    const rate = Number(value);
    const isRate = Number.isInteger(rate) && rate >= baudRates.least && rate <= baudRates.most;
    setText(String(isRate ? rate : baudRate));
    if (isRate && rate !== baudRate) setLine({ baudRate: rate, parity });
  };
  return (
    <Autocomplete
      size="xs"
      aria-label="Baud"
      data={usualRates.map(String)}
      filter={({ options }) => options}
      value={text}
      onChange={setText}
      onOptionSubmit={choose}
      onBlur={() => choose(text)}
      onKeyDown={(event) => event.key === 'Enter' && choose(text)}
      w={92}
    />
  );
}

function ModemLines() {
  const { state, setSignals } = useConsole();
  if (!state) return null;
  const { dtr, rts, hasModemLines } = state;
  const isOff = state.state !== 'open' || hasModemLines === false;
  const title = hasModemLines === false ? 'This port has no modem lines' : undefined;
  return (
    <Group gap="xs" wrap="nowrap" title={title}>
      <Checkbox
        label="DTR"
        checked={dtr}
        disabled={isOff}
        onChange={(event) => void setSignals({ dtr: event.currentTarget.checked, rts })}
      />
      <Checkbox
        label="RTS"
        checked={rts}
        disabled={isOff}
        onChange={(event) => void setSignals({ dtr, rts: event.currentTarget.checked })}
      />
    </Group>
  );
}

function CaptureButton() {
  const { state, startCapture, endCapture } = useConsole();
  const act = useStudio((studio) => studio.act);
  const capture = state?.capture ?? null;
  const start = () =>
    act(async () => {
      const target = await pickTarget({
        title: 'Capture to a file: lines with times in .log, else bytes as they come',
        suggestedName: 'console.log',
      });
      if (target) await startCapture(target.handle, target.name);
    });
  return capture ? (
    <Button
      variant="light"
      color={capture.problem ? 'red' : 'studio'}
      onClick={() => void endCapture()}
      title={capture.path}
      data-testid="console-capture"
    >
      Stop the capture ({byteText(capture.sizeBytes)})
    </Button>
  ) : (
    <Button variant="default" onClick={() => void start()} data-testid="console-capture">
      Capture…
    </Button>
  );
}
