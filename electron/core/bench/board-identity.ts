import type { BoardReference, PortInfo } from '../../../shared/domain/bench.ts';
import { problem } from '../../../shared/domain/problem.ts';

/** The board that a run must find: the one that an earlier run left half-written. */
export interface ExpectedBoard {
  readonly reference: BoardReference;
  /** What people call it, or its id. */
  readonly name: string;
}

/** What a run knows of its board: its chip's own number, and the USB serial number of its port. */
export function boardReference(
  chipId: string | null,
  port: PortInfo | null,
): BoardReference | undefined {
  const usb = port?.usbId == null ? {} : { usbId: port.usbId };
  if (chipId !== null) return { id: chipId, source: 'chip', ...usb };
  return port?.usbId == null ? undefined : { id: port.usbId, source: 'usb', ...usb };
}

/** Another board answers where one board was expected. */
export const otherBoard = (path: string, expected: string, found: string) =>
  problem(
    'other-board',
    'This is another board',
    `${path} is ${found}; expected ${expected}.`,
    `Plug ${expected} in again; nothing was written to ${found}.`,
    'gate',
  );

/** Whether the port that is about to be opened can be that of the expected board. @throws ProblemError `other-board` */
export function checkPort(path: string, port: PortInfo | null, expected: ExpectedBoard): void {
  const { reference, name } = expected;
  // Behind another adapter it may still be the board, when its chip tells; without that the adapter is all there is.
  if (reference.source === 'usb' && port?.usbId != null && port.usbId !== reference.id)
    throw otherBoard(path, name, port.board?.nickname || port.usbId);
}

/** Whether the board that answered is the expected one. @throws ProblemError `other-board` */
export function checkBoard(
  path: string,
  found: BoardReference | undefined,
  expected: ExpectedBoard,
): void {
  const { reference, name } = expected;
  const isSame =
    reference.source === 'chip' ? found?.id === reference.id : found?.usbId === reference.id;
  if (isSame) return;
  throw otherBoard(path, name, found?.id ?? 'a board that does not tell which one it is');
}

/**
 * Whether the consent names this very board: its id, its USB id or its nickname; its port only when nothing else does.
 * @throws ProblemError `consent-missing` | `consent-differs`
 */
export function checkConsent(
  typed: string | undefined,
  board: { readonly path: string; readonly names: readonly string[] },
): void {
  const names = board.names.length > 0 ? board.names : [board.path];
  if (typed !== undefined && names.includes(typed)) return;
  const name = names[0] ?? '';
  throw problem(
    typed === undefined ? 'consent-missing' : 'consent-differs',
    typed === undefined
      ? 'The board is protected against reading'
      : 'The consent names another board',
    typed === undefined
      ? `${board.path} can only be flashed once its read-out protection is taken off, which erases everything on it.`
      : `The consent is for "${typed}"; the board is ${names.join(', ')}.`,
    `Type the name of the board to erase everything on it: ${name} (--unprotect-erases-all ${name}).`,
    'gate',
  );
}
