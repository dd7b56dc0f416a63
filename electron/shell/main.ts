import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { app, type BrowserWindow, dialog, protocol } from 'electron';
import { toProblem } from '../../shared/domain/problem.ts';
import { createStudio } from '../core/studio.ts';
import { configFileName } from '../core/workspace/config.ts';
import { appOrigin, appScheme, serveApp } from './app-protocol.ts';
import { closeWithCare } from './close.ts';
import { FileHandles } from './file-handles.ts';
import { showJobsOutside } from './job-presence.ts';
import { setMenu } from './menu.ts';
import { hostRpc } from './rpc-host.ts';
import { followTheme, paintBackground } from './theme.ts';
import { raiseWalls } from './walls.ts';
import { openWindow } from './window.ts';
import { zoomByKeys } from './zoom.ts';

const smokeTimeoutMs = 60_000;
const isSmoke = process.argv.includes('--smoke');

// Root on Linux has no Chromium sandbox; forcing it there only crashes every child process.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
protocol.registerSchemesAsPrivileged([
  { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);
setMenu(process.platform);

if (app.requestSingleInstanceLock() || !app.isPackaged) void start();
else app.quit();

async function start(): Promise<void> {
  try {
    await app.whenReady();
    const devOrigin = app.isPackaged ? null : (process.env.ELECTRON_RENDERER_URL ?? null);
    raiseWalls(devOrigin);
    protocol.handle(appScheme, (request) =>
      serveApp(request, join(import.meta.dirname, '../renderer')),
    );
    const workspacePath = await chooseWorkspace();
    if (workspacePath === null) return app.quit();
    const files = new FileHandles();
    const studio = await createStudio({
      workspacePath,
      resolveFile: (ref, access) => files.resolve(ref, access),
      version: app.getVersion(),
    });
    const followed = await followTheme(studio);
    const window = openWindow(workspacePath, devOrigin ?? appOrigin);
    hostRpc(followed, files, window, devOrigin ?? appOrigin);
    paintBackground(window);
    zoomByKeys(window.webContents);
    showJobsOutside(studio, window);
    closeWithCare(studio, window);
    app.on('window-all-closed', () => app.quit());
    app.on('second-instance', () => {
      if (window.isMinimized()) window.restore();
      window.focus();
    });
    if (isSmoke) await smoke(window);
  } catch (error) {
    const failure = toProblem(error);
    if (isSmoke) console.error(`${failure.title}: ${failure.detail}`);
    else dialog.showErrorBox(failure.title, `${failure.detail}\n\n${failure.hint}`);
    app.exit(1);
  }
}

async function chooseWorkspace(): Promise<string | null> {
  const candidates = [...process.argv.slice(1).reverse(), process.env.SLIPWAY_WORKSPACE ?? ''];
  const given = candidates.find(
    (path) => path !== '' && !path.startsWith('-') && existsSync(join(path, configFileName)),
  );
  if (given) return given;
  const answer = await dialog.showOpenDialog({
    title: `Open a workspace (a folder with ${configFileName})`,
    properties: ['openDirectory'],
  });
  return answer.filePaths[0] ?? null;
}

/** Waits until the window shows its data, prints how long that took since the process began, and quits. */
async function smoke(window: BrowserWindow): Promise<void> {
  const deadlineMs = Date.now() + smokeTimeoutMs;
  const startedMs = process.getCreationTime() ?? performance.timeOrigin;
  while (Date.now() < deadlineMs) {
    const ready: unknown = await window.webContents
      .executeJavaScript("document.documentElement.dataset.interactive === 'true'")
      .catch(() => false);
    if (ready === true) {
      console.log(`interactive in ${Math.round(Date.now() - startedMs)} ms`);
      window.close();
      return;
    }
    await new Promise((done) => setTimeout(done, 10));
  }
  console.error(`The window was not interactive after ${smokeTimeoutMs / 1000} s`);
  app.exit(1);
}
