import type { BoardReference, KnownBoard, PortInfo } from '../../../shared/domain/bench.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** What a run saw of a board. */
interface SeenBoard {
  readonly board: BoardReference;
  readonly chip: string;
  readonly port: string;
  /** Absent: what is remembered stays. */
  readonly hardwareRevision?: string | undefined;
}

/** The board of this id; null when no run has seen it. */
export function knownBoard(workspace: Workspace, id: string): KnownBoard | null {
  return workspace.has('board', id) ? workspace.get('board', id) : null;
}

/** Remembers where a board was seen, and what revision it was said to be. */
export function rememberBoard(workspace: Workspace, seen: SeenBoard): KnownBoard {
  const { board, chip, port } = seen;
  return workspace.transaction(() => {
    const before = knownBoard(workspace, board.id);
    const now: KnownBoard = {
      ...board,
      nickname: before?.nickname ?? '',
      chip: chip || (before?.chip ?? ''),
      hardwareRevision: seen.hardwareRevision ?? before?.hardwareRevision ?? null,
      lastPort: port,
      lastSeenAt: new Date().toISOString(),
    };
    workspace.put('board', null, now);
    return now;
  });
}

/** What a person changes of a board; an empty text takes it away. */
export interface BoardChange {
  /** Its id, or its nickname. */
  readonly board: string;
  readonly nickname?: string | undefined;
  readonly hardwareRevision?: string | undefined;
}

/** Names a board, or says which hardware revision it is. @throws ProblemError `unknown-board` | `name-taken` */
export function changeBoard(workspace: Workspace, change: BoardChange): KnownBoard {
  return workspace.transaction(() => {
    const boards = workspace.list('board');
    const board =
      boards.find(({ id }) => id === change.board) ??
      boards.find(({ nickname }) => nickname !== '' && nickname === change.board);
    if (!board)
      throw problem(
        'unknown-board',
        'No such board',
        `No board ${change.board} was flashed in this workspace.`,
        'slipway bench boards list shows those that were; flash a board once to add it.',
        'usage',
      );
    const { nickname = board.nickname, hardwareRevision } = change;
    const namesake = boards.find(
      (other) => other.id !== board.id && [other.id, other.nickname].includes(nickname),
    );
    if (nickname !== '' && namesake)
      throw problem(
        'name-taken',
        'Another board has this name',
        `${nickname} is ${namesake.id}.`,
        'Choose a name that tells them apart.',
        'usage',
      );
    const changed: KnownBoard = {
      ...board,
      nickname,
      hardwareRevision:
        hardwareRevision === undefined ? board.hardwareRevision : hardwareRevision || null,
    };
    workspace.put('board', null, changed);
    return changed;
  });
}

/** Ports with what is known of the board that was last seen behind each. */
export function withKnownBoards(
  ports: readonly PortInfo[],
  boards: readonly KnownBoard[],
): PortInfo[] {
  const newestFirst = boards.toSorted((one, other) =>
    other.lastSeenAt.localeCompare(one.lastSeenAt),
  );
  return ports.map((port) => {
    const known = newestFirst.find(({ usbId }) => usbId !== undefined && usbId === port.usbId);
    if (!known) return port;
    const { id, nickname, hardwareRevision } = known;
    return { ...port, board: { id, nickname, hardwareRevision } };
  });
}
