import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError } from '../../../shared/domain/problem.ts';
import { otherBoard } from './board-identity.ts';
import { type ListPorts, pathOf, portAt, type UsbPlace } from './ports.ts';
import { type LinkOptions, type OpenLink, portLost, type SerialLink } from './serial-link.ts';

/** How long a board may be away while it restarts: MCUboot swaps slots before USB comes up again. */
const awayMs = 20_000;
const pollMs = 100;

/** A line to a board that may come back under another path. */
export interface FollowedLink {
  readonly link: SerialLink;
  /**
   * From here on the board restarts by itself: when it goes away, it is looked for where it is plugged in. Without a
   * USB id it is not followed, since a path alone tells no board.
   */
  allowRestart(place: UsbPlace): void;
  /** The path under which it is reached now. */
  readonly path: string;
  /** Why the board was not found again, when it was not. */
  readonly failure: ProblemError | null;
}

/** What following needs. */
interface FollowOptions {
  readonly open: OpenLink;
  readonly path: string;
  readonly options: LinkOptions;
  readonly listPorts: ListPorts;
  readonly onMoved: (path: string) => void;
}

/**
 * Opens a line that finds its board again by the USB serial number. While a board is written, losing it stays a loss:
 * only a restart that was asked for is followed. @throws ProblemError as opening does
 */
export async function openFollowed(follow: FollowOptions): Promise<FollowedLink> {
  const { open, listPorts, onMoved } = follow;
  const dataListeners: ((bytes: Uint8Array) => void)[] = [];
  const lostListeners: (() => void)[] = [];
  let { path, options } = follow;
  /** Null until the board may restart. */
  let place: UsbPlace | null = null;
  let isClosed = false;
  let failure: ProblemError | null = null;
  let returning: Promise<void> | null = null;
  let inner = await open(path, options);

  const lose = (): void => {
    for (const listener of lostListeners) listener();
  };
  const comeBack = async (here: UsbPlace): Promise<void> => {
    for (const deadlineMs = performance.now() + awayMs; !isClosed; await sleep(pollMs)) {
      const found = await pathOf(listPorts, here);
      if (found !== null) {
        try {
          inner = await open(found, options);
        } catch (error) {
          // It is listed before it can be opened, by a moment.
          if (performance.now() > deadlineMs) throw error;
          continue;
        }
        attach();
        if (found !== path) onMoved(found);
        path = found;
        return;
      }
      const now = await portAt(listPorts, path);
      if (now?.usbId != null) throw otherBoard(path, here.usbId ?? '', now.usbId);
      if (performance.now() > deadlineMs) throw portLost(path);
    }
  };
  /** Looks for the board, when it may be away at all; false when its loss is a loss. */
  const leave = (left: SerialLink): boolean => {
    const here = place;
    if (isClosed || here?.usbId == null) return false;
    if (left !== inner || returning) return true;
    returning = left
      .close()
      .then(() => comeBack(here))
      .catch((error: unknown) => {
        failure = error instanceof ProblemError ? error : portLost(path);
        lose();
      })
      .finally(() => {
        returning = null;
      });
    return true;
  };
  const attach = (): void => {
    const opened = inner;
    opened.onData((bytes) => dataListeners.forEach((listener) => listener(bytes)));
    opened.onLost(() => {
      if (!isClosed && opened === inner && !leave(opened)) lose();
    });
  };
  attach();
  return {
    link: {
      async write(bytes) {
        await returning;
        const used = inner;
        try {
          await used.write(bytes);
        } catch (error) {
          if (!leave(used)) throw error;
          await returning;
          if (failure) throw failure;
          await inner.write(bytes);
        }
      },
      onData: (listener) => void dataListeners.push(listener),
      onLost: (listener) => void lostListeners.push(listener),
      // A terminal that has hung up is told by its missing file alone.
      isPresent: async () => returning !== null || (await inner.isPresent()) || leave(inner),
      async setLine(wanted) {
        options = wanted;
        await returning;
        return inner.setLine(wanted);
      },
      async setSignals(signals) {
        await returning;
        return inner.setSignals(signals);
      },
      async close() {
        isClosed = true;
        await returning;
        return inner.close();
      },
    },
    allowRestart: (here) => {
      place = here;
    },
    get path() {
      return path;
    },
    get failure() {
      return failure;
    },
  };
}
