import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  Select,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { Cable, CircleStop, RefreshCw, SquareTerminal } from 'lucide-react';
import { useId, useState } from 'react';
import type { PortInfo } from '../../../shared/domain/bench.ts';
import {
  type VirtualBoardKind,
  virtualBoardKinds,
  virtualBoardNames,
} from '../../../shared/domain/bench-names.ts';
import { useBench } from '../../stores/bench.ts';
import { useConsole } from '../../stores/console.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { Section } from '../../widgets/section.tsx';
import classes from './bench-view.module.css';
import { KnownBoardsButton } from './known-boards.tsx';

const kinds = virtualBoardNames.map((kind) => ({
  value: kind,
  label: virtualBoardKinds[kind].name,
}));

/** The boards to flash: serial ports of the system, virtual boards, and a path by hand. */
export function BoardsSection() {
  const { ports, portsHint, otherPaths, otherPath, setOtherPath, listPorts, startVirtualBoard } =
    useBench();
  const pathsId = useId();
  const [kind, setKind] = useState<VirtualBoardKind>('stm32');
  return (
    <Section
      title="Boards"
      actions={
        <>
          <KnownBoardsButton />
          <Tooltip label="List the ports again">
            <ActionIcon aria-label="List the ports again" onClick={() => void listPorts()}>
              <RefreshCw size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </>
      }
    >
      {ports === null ? (
        <LoadingLines label="Listing the ports" lines={2} />
      ) : (
        <Stack gap="xs">
          <div role="group" aria-label="Boards to flash">
            {ports.map((info) => (
              <Board key={info.path} info={info} />
            ))}
            <div className={classes.board}>
              <Text size="xs">Another path</Text>
              <TextInput
                aria-label="Path of the port"
                placeholder="/dev/ttyUSB0 or COM3"
                value={otherPath}
                onChange={(event) => setOtherPath(event.currentTarget.value)}
                list={pathsId}
                w={190}
              />
              <datalist id={pathsId}>
                {otherPaths.map((path) => (
                  <option key={path} value={path} />
                ))}
              </datalist>
            </div>
          </div>
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
          <Group gap="xs" wrap="nowrap">
            <Select
              aria-label="Kind of virtual board"
              allowDeselect={false}
              data={kinds}
              value={kind}
              onChange={(value) => value !== null && setKind(value)}
            />
            <Button
              variant="default"
              flex="none"
              onClick={() => void startVirtualBoard(kind)}
              data-testid="start-virtual"
            >
              Start a virtual board
            </Button>
          </Group>
        </Stack>
      )}
    </Section>
  );
}

function portText({ label, path, board }: PortInfo): string {
  const port = label === path ? path : `${label}, ${path}`;
  const revision = board?.hardwareRevision == null ? '' : `, revision ${board.hardwareRevision}`;
  return `${board?.nickname ? `${board.nickname}: ` : ''}${port}${revision}`;
}

function Board({ info }: { readonly info: PortInfo }) {
  const { chosen, choose, stopVirtualBoard: stop } = useBench();
  const { setPort, show, open } = useConsole();
  const openConsole = () => {
    setPort(info.path);
    show('console');
    void open();
  };
  const openHelp = () => {
    setPort(info.path);
    show('connection');
  };
  return (
    <div className={classes.board}>
      <Checkbox
        size="xs"
        checked={chosen.includes(info.path)}
        onChange={(event) => choose(info.path, event.currentTarget.checked)}
        label={portText(info)}
      />
      <Tooltip label="Help with its connection">
        <ActionIcon aria-label={`Help with the connection of ${info.path}`} onClick={openHelp}>
          <Cable size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Open its serial console">
        <ActionIcon aria-label={`Open the console of ${info.path}`} onClick={openConsole}>
          <SquareTerminal size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
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
