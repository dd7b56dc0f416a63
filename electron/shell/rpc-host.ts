import { type BrowserWindow, dialog, type IpcMainInvokeEvent, ipcMain } from 'electron';
import { z } from 'zod';
import type { Answer, StudioEvent } from '../../shared/contract/contract.ts';
import { problem, toProblem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { isTrustedSender, parseEnvelope } from './envelope.ts';
import type { FileHandles, PickedFile, SaveTarget } from './file-handles.ts';

const batchMs = 32;
const grantSchema = z.array(z.string().max(32_768)).max(1000);
const pickSchema = z.object({ multiple: z.boolean(), title: z.string().min(1).max(100) });
const saveSchema = z.object({
  title: z.string().min(1).max(100),
  /** Without a folder: the dialog opens where the system wants it to. */
  suggestedName: z.string().regex(/^[^/\\\p{Cc}]{1,200}$/u),
});

/** Connects the window with the engine: validated senders, validated envelopes, errors as values. */
export function hostRpc(
  studio: Studio,
  files: FileHandles,
  window: BrowserWindow,
  origin: string,
): void {
  const handle = (channel: string, work: (raw: unknown) => Promise<Answer<unknown>>): void =>
    ipcMain.handle(channel, async (event, raw: unknown): Promise<Answer<unknown>> => {
      try {
        assertTrusted(event, window, origin);
        return await work(raw);
      } catch (error) {
        return { ok: false, error: toProblem(error) };
      }
    });

  handle('slipway:call', async (raw) => {
    const envelope = parseEnvelope(raw);
    return envelope.ok ? studio.call(envelope.value.method, envelope.value.input) : envelope;
  });
  handle('slipway:grant', async (raw) => grantAll(files, parse(grantSchema, raw)));
  handle('slipway:pick', async (raw) => {
    const { multiple, title } = parse(pickSchema, raw);
    const answer = await dialog.showOpenDialog(window, {
      title,
      properties: multiple ? ['openFile', 'multiSelections'] : ['openFile'],
    });
    return grantAll(files, answer.filePaths);
  });
  handle('slipway:save', async (raw): Promise<Answer<SaveTarget | null>> => {
    const { title, suggestedName } = parse(saveSchema, raw);
    const answer = await dialog.showSaveDialog(window, { title, defaultPath: suggestedName });
    const { canceled, filePath } = answer;
    return { ok: true, value: canceled || !filePath ? null : files.grantTarget(filePath) };
  });

  let batch: StudioEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    const events = batch;
    batch = [];
    timer = undefined;
    if (!window.isDestroyed()) window.webContents.send('slipway:event', events);
  };
  const unsubscribe = studio.subscribe((event) => {
    batch.push(event);
    // First findings are waited for: they go with what happens at the same moment, and no later.
    if (event.type === 'file-so-far') {
      clearTimeout(timer);
      timer = setTimeout(send, 0);
    } else timer ??= setTimeout(send, batchMs);
  });
  window.once('closed', unsubscribe);
}

function assertTrusted(event: IpcMainInvokeEvent, window: BrowserWindow, origin: string): void {
  const sender = { frame: event.senderFrame, contentsId: event.sender.id };
  if (!window.isDestroyed() && isTrustedSender(sender, window.webContents.id, origin)) return;
  throw problem(
    'untrusted-sender',
    'Untrusted sender',
    'The call did not come from the studio window.',
    'Restart Slipway.',
    'internal',
  );
}

function grantAll(files: FileHandles, paths: readonly string[]): Answer<PickedFile[]> {
  return { ok: true, value: paths.map((path) => files.grant(path)) };
}

function parse<T>(schema: z.ZodType<T>, raw: unknown): T {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw problem(
    'bad-request',
    'The request is not valid',
    z.prettifyError(parsed.error),
    'Restart Slipway.',
    'usage',
  );
}
