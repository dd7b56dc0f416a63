import type { BenchRun } from '../../../shared/domain/bench.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { askedSchema } from './bench-order.ts';
import { type BenchParts, type FlashRequest, runBench } from './bench-service.ts';
import { type ListPorts, pathOf, portAt, type UsbPlace } from './ports.ts';

/**
 * Goes on with a run that was cut off: finds its board again, wherever it is plugged in now, leaves what it holds
 * already, and ends as every run does. A board that is known by its USB serial number is looked for by that;
 * `port` says where it is otherwise.
 * @throws ProblemError `nothing-to-resume` | `board-away` | `other-board` | `image-changed`
 */
export async function resumeBench(
  parts: BenchParts,
  resume: { readonly runId: string; readonly port?: string | undefined },
  context: WorkContext,
): Promise<BenchRun> {
  const { workspace, listPorts } = parts;
  if (!workspace?.has('benchOrder', resume.runId))
    throw problem(
      'nothing-to-resume',
      'There is nothing to go on with',
      `Run ${resume.runId} has passed, was gone on with, or is not of this workspace.`,
      'Flash the board anew.',
      'usage',
    );
  const order = workspace.get('benchOrder', resume.runId);
  const { board } = order;
  const found =
    board?.usbId === undefined
      ? null
      : await pathOf(listPorts, await placeOf(listPorts, board.usbId));
  const away = found === null && board?.source === 'usb' && resume.port === undefined;
  if (away && (await portAt(listPorts, order.port)) === null)
    throw problem(
      'board-away',
      'The board is not plugged in',
      `No port has the USB serial number of ${board.id}, which was at ${order.port}.`,
      'Plug it in again.',
    );
  const request: FlashRequest = {
    ...askedSchema.parse(order),
    port: resume.port ?? found ?? order.port,
    changedOnly: true,
  };
  const { id, imageSha256 } = order;
  return runBench(parts, request, context, { runId: id, imageSha256, board });
}

/** The USB device of a board, at the port of it that is listed first. */
async function placeOf(listPorts: ListPorts, usbId: string): Promise<UsbPlace> {
  const { ports } = await listPorts();
  return { usbId, usbInterface: ports.find((port) => port.usbId === usbId)?.usbInterface ?? null };
}
