import { join } from 'node:path';
import { app, BrowserWindow } from 'electron';
import { backgroundColor } from './theme.ts';
import { windowSecurity } from './window-security.ts';

/** Opens the window on `origin` and shows it when it is painted. */
export function openWindow(title: string, origin: string): BrowserWindow {
  const window = new BrowserWindow({
    title: `Slipway: ${title}`,
    width: 1280,
    height: 800,
    minWidth: 1024,
    minHeight: 700,
    show: false,
    backgroundColor: backgroundColor(),
    webPreferences: {
      ...windowSecurity,
      devTools: !app.isPackaged,
      preload: join(import.meta.dirname, '../preload/preload.cjs'),
    },
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(`${origin}/`);
  return window;
}
