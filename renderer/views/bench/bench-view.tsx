import { SegmentedControl } from '@mantine/core';
import { useEffect } from 'react';
import { useBench } from '../../stores/bench.ts';
import { type BenchPart, useConsole } from '../../stores/console.ts';
import { useRelease } from '../../stores/studio.ts';
import layout from '../../widgets/columns.module.css';
import { NoRelease } from '../../widgets/no-release.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { ViewHeader } from '../../widgets/view-header.tsx';
import classes from './bench-view.module.css';
import { BoardsSection } from './boards-section.tsx';
import { ConnectionPanel } from './connection-panel.tsx';
import { ConsolePanel } from './console-panel.tsx';
import { FlashSection } from './flash-section.tsx';
import { RecordingSection } from './recording-section.tsx';
import { ResultSection } from './result-section.tsx';
import { RunsSection } from './runs-section.tsx';

const parts: readonly { readonly value: BenchPart; readonly label: string }[] = [
  { value: 'runs', label: 'Runs' },
  { value: 'console', label: 'Console' },
  { value: 'connection', label: 'Connection' },
];

/** The bench: an image of the release, or any file, on a real or virtual board, with its runs. */
export function BenchView() {
  const chosen = useRelease();
  const releaseId = chosen?.release.id;
  const listPorts = useBench((state) => state.listPorts);
  const listRuns = useBench((state) => state.listRuns);
  const { part, show } = useConsole();
  const loadProblem = useBench((state) => state.loadProblem);
  useEffect(() => void listPorts(), [listPorts]);
  useEffect(() => {
    if (releaseId !== undefined) void listRuns(releaseId);
  }, [listRuns, releaseId]);

  if (!chosen) return <NoRelease />;
  const { release, product } = chosen;
  return (
    <>
      <ViewHeader
        title="Bench"
        about={`${product.name} ${release.version}`}
        actions={
          <SegmentedControl
            aria-label="What is shown beside the boards"
            data={[...parts]}
            value={part}
            onChange={(value) => show(value as BenchPart)}
            data-testid="bench-part"
          />
        }
      />
      {loadProblem && <ProblemAlert problem={loadProblem} />}
      <div className={`${layout.columns} ${classes.columns}`}>
        <div className={`${layout.column} ${classes.order}`}>
          <BoardsSection />
          <FlashSection key={release.id} release={release} product={product} />
        </div>
        <div className={layout.column}>
          {part === 'runs' && (
            <>
              <ResultSection releaseId={release.id} />
              <RunsSection />
              <RecordingSection />
            </>
          )}
          {part === 'console' && <ConsolePanel />}
          {part === 'connection' && <ConnectionPanel />}
        </div>
      </div>
    </>
  );
}
