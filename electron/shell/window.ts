import { BrowserWindow, nativeTheme } from 'electron';
import { join } from 'node:path';
import { appOrigin } from './app-protocol.ts';

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

/** Opens the window and shows it when it is painted. */
export function openWindow(title: string, devUrl: string | undefined): BrowserWindow {
  const window = new BrowserWindow({
    title: `Slipway: ${title}`,
    width: 1280,
    height: 800,
    minWidth: 1024,
    minHeight: 700,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#1a1b1e' : '#ffffff',
    webPreferences: {
      ...windowSecurity,
      preload: join(import.meta.dirname, '../preload/preload.cjs'),
    },
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(devUrl ?? `${appOrigin}/`);
  return window;
}
