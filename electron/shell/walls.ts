import { app, session } from 'electron';

/** Every permission that the page has, each with its reason; all others are denied. */
export const allowedPermissions: ReadonlyMap<string, string> = new Map([
  ['clipboard-sanitized-write', 'Hashes, problems and log lines are copied on click.'],
]);

/** Schemes that lead out of the app; the page needs none of them. */
const foreignUrls = ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*', 'file://*'];

/**
 * Denies navigation, new windows, embedded views, downloads, devices, foreign requests and every
 * permission but the allowed ones. `devOrigin` is the development server, null in a built app.
 */
export function raiseWalls(devOrigin: string | null): void {
  app.on('web-contents-created', (_event, contents) => {
    // The development server reloads the page when it cannot exchange a module; nothing else navigates.
    const stay = (event: { readonly url: string; preventDefault(): void }): void => {
      if (!isDevRequest(event.url, devOrigin)) event.preventDefault();
    };
    contents.on('will-navigate', stay);
    contents.on('will-redirect', stay);
    contents.on('will-frame-navigate', stay);
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.on('select-bluetooth-device', (event, _devices, choose) => {
      event.preventDefault();
      choose('');
    });
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });

  const own = session.defaultSession;
  own.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(allowedPermissions.has(permission)),
  );
  own.setPermissionCheckHandler((_contents, permission) => allowedPermissions.has(permission));
  own.setDevicePermissionHandler(() => false);
  own.setUSBProtectedClassesHandler(({ protectedClasses }) => protectedClasses);
  own.setBluetoothPairingHandler((_details, answer) => answer({ confirmed: false }));
  own.setDisplayMediaRequestHandler((_request, answer) => answer({}));
  own.on('select-serial-port', (event, _ports, _contents, choose) => {
    event.preventDefault();
    choose('');
  });
  own.on('select-hid-device', (event, _details, choose) => {
    event.preventDefault();
    choose('');
  });
  own.on('select-usb-device', (event, _details, choose) => {
    event.preventDefault();
    choose();
  });
  own.on('will-download', (event) => event.preventDefault());
  own.webRequest.onBeforeRequest({ urls: foreignUrls }, ({ url }, answer) =>
    answer({ cancel: !isDevRequest(url, devOrigin) }),
  );
}

function isDevRequest(url: string, devOrigin: string | null): boolean {
  if (devOrigin === null) return false;
  return URL.canParse(url) && new URL(url).host === new URL(devOrigin).host;
}
