import { Button } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useDock } from '../stores/dock.ts';
import { useStudio, viewNames } from '../stores/studio.ts';
import { LoadingLines } from '../widgets/loading-lines.tsx';
import { ProblemAlert } from '../widgets/problem-alert.tsx';
import classes from './app.module.css';
import { Dock } from './dock/dock.tsx';
import { Rail } from './rail.tsx';
import { focusNextRegion } from './regions.ts';
import { StatusBar } from './status-bar.tsx';
import { TopBar } from './top-bar.tsx';
import { ViewBoundary } from './view-boundary.tsx';
import { views } from './views.ts';

const Palette = lazy(async () => ({ default: (await import('./palette.tsx')).Palette }));

/** The window: rail, top bar, the open view with its problems, dock and status bar. */
export function App() {
  const view = useStudio((state) => state.view);
  const openView = useStudio((state) => state.openView);
  const start = useStudio((state) => state.start);
  const refresh = useStudio((state) => state.refresh);
  const act = useStudio((state) => state.act);
  const workspaceName = useStudio((state) => state.info?.workspace.name);
  const toggleDock = useDock((state) => state.toggle);
  const [paletteRequests, setPaletteRequests] = useState(0);
  const openPalette = () => setPaletteRequests((count) => count + 1);

  useEffect(() => {
    void start();
  }, [start]);
  useEffect(() => {
    document.title = [views[view].title, workspaceName, 'Slipway'].filter(Boolean).join(' - ');
  }, [view, workspaceName]);
  useEffect(() => {
    // The command line may have worked on the same workspace in the meantime.
    const onFocus = () => useStudio.getState().ready && void act(refresh);
    window.addEventListener('focus', onFocus);
    return () => window.removeEventListener('focus', onFocus);
  }, [act, refresh]);
  useHotkeys(
    [
      ...viewNames.map((name): [string, () => void] => [
        `mod+${views[name].key}`,
        () => openView(name),
      ]),
      ['mod+J', toggleDock],
      ['mod+K', openPalette],
      ['F6', () => focusNextRegion(1)],
      ['shift+F6', () => focusNextRegion(-1)],
    ],
    [],
  );

  return (
    <div
      className={classes.frame}
      // A file dropped beside a drop zone must not look as if it had been taken.
      onDragOver={(event) => {
        if (!event.defaultPrevented) event.dataTransfer.dropEffect = 'none';
        event.preventDefault();
      }}
      onDrop={(event) => event.preventDefault()}
    >
      <TopBar onPalette={openPalette} />
      <Rail />
      <OpenView />
      <Dock />
      <StatusBar />
      {paletteRequests > 0 && (
        <Suspense>
          <Palette requests={paletteRequests} />
        </Suspense>
      )}
    </div>
  );
}

/** Tells whoever waits for the window, such as `npm start -- --smoke`, that a view with its data is drawn. */
function MarkInteractive() {
  useEffect(() => {
    document.documentElement.dataset.interactive = 'true';
  }, []);
  return null;
}

function OpenView() {
  const view = useStudio((state) => state.view);
  const ready = useStudio((state) => state.ready);
  const problem = useStudio((state) => state.problem);
  const start = useStudio((state) => state.start);
  const dismissProblem = useStudio((state) => state.dismissProblem);
  const { View, title } = views[view];
  return (
    <main className={classes.main} aria-label={title} data-region tabIndex={-1}>
      {problem && (
        <ProblemAlert
          problem={problem}
          onClose={dismissProblem}
          action={
            ready ? undefined : (
              <Button size="compact-xs" onClick={() => void start()}>
                Try again
              </Button>
            )
          }
        />
      )}
      <ViewBoundary key={view}>
        <Suspense fallback={<LoadingLines label={`Loading ${title}`} lines={8} />}>
          {ready ? (
            <div className={classes.view} data-testid={`${view}-view`}>
              <View />
              <MarkInteractive />
            </div>
          ) : (
            !problem && <LoadingLines label="Opening the workspace" lines={8} />
          )}
        </Suspense>
      </ViewBoundary>
    </main>
  );
}
