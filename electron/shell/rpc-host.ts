import { type BrowserWindow, dialog, type IpcMainInvokeEvent, ipcMain } from 'electron';
import type { Answer, StudioEvent } from '../../shared/contract/contract.ts';
import { problem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import type { FileHandles, PickedFile } from './file-handles.ts';
import { isTrustedSender, parseEnvelope } from './envelope.ts';

const batchMs = 32;

/** Connects the window with the engine: validated senders, validated envelopes, errors as values. */
export function hostRpc(
  studio: Studio,
  files: FileHandles,
  window: BrowserWindow,
  origin: string,
  testPicks: readonly string[],
): void {
  const trusted = (event: IpcMainInvokeEvent): boolean =>
    isTrustedSender(
      { frame: event.senderFrame, contentsId: event.sender.id },
      window.webContents.id,
      origin,
    );
  const untrusted = (): Answer<never> => ({
    ok: false,
    error: problem(
      'untrusted-sender',
      'Untrusted sender',
      'The call did not come from the studio window.',
      'Restart Slipway.',
      'internal',
    ).problem,
  });

  ipcMain.handle('slipway:call', async (event, raw: unknown): Promise<Answer<unknown>> => {
    if (!trusted(event)) return untrusted();
    const envelope = parseEnvelope(raw);
    return envelope.ok ? studio.call(envelope.value.method, envelope.value.input) : envelope;
  });
  ipcMain.handle('slipway:grant', (event, paths: unknown): PickedFile[] => {
    if (!trusted(event) || !Array.isArray(paths)) return [];
    return paths
      .filter((path): path is string => typeof path === 'string' && path !== '')
      .map((path) => files.grant(path));
  });
  ipcMain.handle(
    'slipway:pick',
    async (
      event,
      options: { multiple?: unknown; title?: unknown } | undefined,
    ): Promise<PickedFile[]> => {
      if (!trusted(event)) return [];
      const multiple = options?.multiple === true;
      const title =
        typeof options?.title === 'string' ? options.title.slice(0, 100) : 'Choose files';
      const next =
        testPicks.length > 0
          ? { filePaths: [nextTestPick(testPicks)] }
          : await dialog.showOpenDialog(window, {
              title,
              properties: multiple ? ['openFile', 'multiSelections'] : ['openFile'],
            });
      return next.filePaths.map((path) => files.grant(path));
    },
  );

  let batch: StudioEvent[] = [];
  const unsubscribe = studio.subscribe((event) => {
    batch.push(event);
    if (batch.length > 1) return;
    setTimeout(() => {
      const events = batch;
      batch = [];
      if (!window.isDestroyed()) window.webContents.send('slipway:event', events);
    }, batchMs);
  });
  window.once('closed', unsubscribe);
}

let picks = 0;
const nextTestPick = (paths: readonly string[]): string => paths[picks++ % paths.length] ?? '';
