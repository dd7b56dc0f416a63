import { contextBridge, ipcRenderer, webUtils } from 'electron';

type Listener = (event: unknown) => void;

/** The only door of the page: no channel name and no path is reachable through it. */
contextBridge.exposeInMainWorld('slipway', {
  call: (method: string, input: unknown) => ipcRenderer.invoke('slipway:call', { method, input }),
  subscribe(listener: Listener) {
    const forward = (_event: unknown, events: unknown[]): void => events.forEach(listener);
    ipcRenderer.on('slipway:event', forward);
    return () => void ipcRenderer.removeListener('slipway:event', forward);
  },
  grantFiles: (files: File[]) =>
    ipcRenderer.invoke(
      'slipway:grant',
      files.map((file) => webUtils.getPathForFile(file)),
    ),
  pickFiles: (options: { multiple: boolean; title: string }) =>
    ipcRenderer.invoke('slipway:pick', options),
  pickTarget: (options: { title: string; suggestedName: string }) =>
    ipcRenderer.invoke('slipway:save', options),
});
