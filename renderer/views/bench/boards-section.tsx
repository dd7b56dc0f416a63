import { ActionIcon, Button, Group, Radio, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { CircleStop, RefreshCw } from 'lucide-react';
import { useState } from 'react';
import type { PortInfo } from '../../../shared/domain/bench.ts';
import { useBench } from '../../stores/bench.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { Section } from '../../widgets/section.tsx';
import classes from './bench-view.module.css';

const otherPath = 'other';

/** The boards that can be flashed: serial ports of the system, virtual boards, or a path by hand. */
export function BoardsSection() {
  const { ports, portsHint, port, choosePort, listPorts, startVirtualBoard } = useBench();
  const [other, setOther] = useState('');
  const isListed = ports?.some(({ path }) => path === port) ?? false;
  return (
    <Section
      title="Board"
      actions={
        <Tooltip label="List the ports again">
          <ActionIcon aria-label="List the ports again" onClick={() => void listPorts()}>
            <RefreshCw size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      }
    >
      {ports === null ? (
        <LoadingLines label="Listing the ports" lines={2} />
      ) : (
        <Stack gap="xs">
          <Radio.Group
            aria-label="Board to flash"
            value={isListed ? port : otherPath}
            onChange={(value) => choosePort(value === otherPath ? other : value)}
          >
            {ports.map((info) => (
              <Board key={info.path} info={info} />
            ))}
            <div className={classes.board}>
              <Radio size="xs" value={otherPath} label="Another path" />
              <TextInput
                aria-label="Path of the port"
                placeholder="/dev/ttyUSB0 or COM3"
                value={isListed ? other : (port ?? '')}
                onChange={(event) => {
                  setOther(event.currentTarget.value);
                  choosePort(event.currentTarget.value);
                }}
                w={190}
              />
            </div>
          </Radio.Group>
          {ports.length === 0 && portsHint === null && (
            <Text size="xs" c="dimmed">
              No serial port is connected. A virtual board shows everything without hardware.
            </Text>
          )}
          {portsHint !== null && (
            <Text size="xs" c="dimmed" data-testid="ports-hint">
              {portsHint}
            </Text>
          )}
          <Group>
            <Button
              variant="default"
              onClick={() => void startVirtualBoard()}
              data-testid="start-virtual"
            >
              Start a virtual STM32 board
            </Button>
          </Group>
        </Stack>
      )}
    </Section>
  );
}

function Board({ info }: { readonly info: PortInfo }) {
  const stop = useBench((state) => state.stopVirtualBoard);
  return (
    <div className={classes.board}>
      <Radio
        size="xs"
        value={info.path}
        label={info.label === info.path ? info.path : `${info.label}, ${info.path}`}
      />
      {info.virtual && (
        <Tooltip label="Stop this virtual board">
          <ActionIcon aria-label={`Stop ${info.path}`} onClick={() => void stop(info.path)}>
            <CircleStop size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}
