import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { app, type BrowserWindow, dialog, Menu, protocol } from 'electron';
import { toProblem } from '../../shared/domain/problem.ts';
import { createStudio, type Studio } from '../core/studio.ts';
import { configFileName } from '../core/workspace/config.ts';
import { appOrigin, appScheme, serveApp } from './app-protocol.ts';
import { FileHandles } from './file-handles.ts';
import { hostRpc } from './rpc-host.ts';
import { raiseWalls } from './walls.ts';
import { openWindow } from './window.ts';

const smokeTimeoutMs = 60_000;
const isSmoke = process.argv.includes('--smoke');

// Root on Linux has no Chromium sandbox; forcing it there only crashes every child process.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
protocol.registerSchemesAsPrivileged([
  { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);
Menu.setApplicationMenu(null);

if (app.requestSingleInstanceLock() || !app.isPackaged) void start();
else app.quit();

async function start(): Promise<void> {
  try {
    await app.whenReady();
    raiseWalls();
    protocol.handle(appScheme, (request) =>
      serveApp(request, join(import.meta.dirname, '../renderer')),
    );
    const workspacePath = await chooseWorkspace();
    if (workspacePath === null) return app.quit();
    const files = new FileHandles();
    const studio = await createStudio({
      workspacePath,
      resolveFile: (ref) => files.resolve(ref),
      version: app.getVersion(),
    });
    const devUrl = app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL;
    const window = openWindow(workspacePath, devUrl);
    hostRpc(studio, files, window, devUrl ?? appOrigin);
    closeWithCare(studio, window);
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

/** Asks before closing while jobs run, and stops the engine before the process ends. */
function closeWithCare(studio: Studio, window: BrowserWindow): void {
  let confirmed = false;
  window.on('close', (event) => {
    if (confirmed) return;
    event.preventDefault();
    void (async () => {
      const running = (await studio.ask('jobs.list', {})).filter((job) => job.state === 'running');
      if (running.length > 0) {
        const answer = await dialog.showMessageBox(window, {
          type: 'warning',
          message: 'Work is still running',
          detail: running.map((job) => job.title).join('\n'),
          buttons: ['Keep running', 'Cancel the work and quit'],
          defaultId: 0,
          cancelId: 0,
        });
        if (answer.response === 0) return;
      }
      confirmed = true;
      await studio.close();
      window.destroy();
    })();
  });
  app.on('window-all-closed', () => app.quit());
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
