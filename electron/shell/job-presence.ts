import { type BrowserWindow, powerSaveBlocker } from 'electron';
import type { Job } from '../../shared/domain/job.ts';
import type { Studio } from '../core/studio.ts';
import { taskBarProgress } from './task-bar.ts';

/** Shows running jobs in the task bar and keeps the machine awake until they have ended. */
export function showJobsOutside(studio: Studio, window: BrowserWindow): void {
  const running = new Map<string, Job>();
  let blocker: number | null = null;
  const release = (): void => {
    if (blocker !== null) powerSaveBlocker.stop(blocker);
    blocker = null;
  };
  const unsubscribe = studio.subscribe((event) => {
    if (event.type !== 'job') return;
    if (event.job.state === 'running') running.set(event.job.id, event.job);
    else running.delete(event.job.id);
    if (!window.isDestroyed()) window.setProgressBar(taskBarProgress([...running.values()]));
    if (running.size > 0) blocker ??= powerSaveBlocker.start('prevent-app-suspension');
    else release();
  });
  window.once('closed', () => {
    unsubscribe();
    release();
  });
}
