import { ActionIcon, Button, Group, Modal, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { CircuitBoard } from 'lucide-react';
import { useState } from 'react';
import type { KnownBoard } from '../../../shared/domain/bench.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { useBench } from '../../stores/bench.ts';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Time } from '../../widgets/value-text.tsx';

/** Opens the register of boards that this workspace has flashed. */
export function KnownBoardsButton() {
  const listBoards = useBench((state) => state.listBoards);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Tooltip label="Boards that were flashed: names and hardware revisions">
        <ActionIcon
          aria-label="Known boards"
          onClick={() => {
            setOpen(true);
            void listBoards();
          }}
          data-testid="known-boards"
        >
          <CircuitBoard size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Modal opened={isOpen} onClose={() => setOpen(false)} title="Known boards" size="lg">
        <KnownBoards />
      </Modal>
    </>
  );
}

function KnownBoards() {
  const boards = useBench((state) => state.knownBoards);
  if (boards === null) return null;
  if (boards.length === 0)
    return (
      <Text c="dimmed">
        None yet. A board is remembered once it is flashed, by its chip’s own number or its USB
        serial number, never by its port.
      </Text>
    );
  return (
    <Stack gap="md">
      {boards.map((board) => (
        <BoardForm key={board.id} board={board} />
      ))}
    </Stack>
  );
}

function BoardForm({ board }: { readonly board: KnownBoard }) {
  const setBoard = useBench((state) => state.setBoard);
  const [nickname, setNickname] = useState(board.nickname);
  const [revision, setRevision] = useState(board.hardwareRevision ?? '');
  const [problem, setProblem] = useState<Problem | null>(null);
  const isSame = nickname === board.nickname && revision === (board.hardwareRevision ?? '');
  const save = async (): Promise<void> => {
    try {
      await setBoard(board.id, { nickname, hardwareRevision: revision.trim() });
      setProblem(null);
    } catch (error) {
      setProblem(toProblem(error));
    }
  };
  return (
    <Stack gap={4} role="group" aria-label={board.id}>
      <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        {board.chip || 'unknown chip'}, {board.id}, last seen at {board.lastPort},{' '}
        <Time at={board.lastSeenAt} />
      </Text>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <TextInput
          label="Name"
          flex={1}
          value={nickname}
          onChange={(event) => setNickname(event.currentTarget.value)}
        />
        <TextInput
          label="Hardware revision"
          w={130}
          value={revision}
          onChange={(event) => setRevision(event.currentTarget.value)}
        />
        <Button variant="default" disabled={isSame} onClick={() => void save()}>
          Save
        </Button>
      </Group>
      {problem && <ProblemAlert problem={problem} />}
    </Stack>
  );
}
