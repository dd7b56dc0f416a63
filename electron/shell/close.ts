import { type BrowserWindow, dialog } from 'electron';
import { toProblem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';

/** Asks before closing while jobs run, and stops the engine before the window goes. */
export function closeWithCare(studio: Studio, window: BrowserWindow): void {
  let closing = false;
  window.on('close', (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    void (async () => {
      try {
        if (!(await mayClose(studio, window))) return;
        await studio.close();
        window.destroy();
      } catch (error) {
        const failure = toProblem(error);
        dialog.showErrorBox(failure.title, `${failure.detail}\n\n${failure.hint}`);
        window.destroy();
      } finally {
        closing = false;
      }
    })();
  });
}

async function mayClose(studio: Studio, window: BrowserWindow): Promise<boolean> {
  const running = (await studio.ask('jobs.list', {})).filter((job) => job.state === 'running');
  if (running.length === 0) return true;
  const answer = await dialog.showMessageBox(window, {
    type: 'warning',
    message: 'Work is still running',
    detail: running.map((job) => job.title).join('\n'),
    buttons: ['Keep running', 'Cancel the work and quit'],
    defaultId: 0,
    cancelId: 0,
  });
  return answer.response !== 0;
}
