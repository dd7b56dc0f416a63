import { join } from 'node:path';
import { app, BrowserWindow } from 'electron';
import { backgroundColor } from './theme.ts';

/** The only window's walls; a test compares them with what Electron reports. */
export const windowSecurity = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  webviewTag: false,
  experimentalFeatures: false,
  spellcheck: false,
  navigateOnDragDrop: false,
  disableBlinkFeatures: 'Auxclick',
} as const;

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
