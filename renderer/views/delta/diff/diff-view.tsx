import { Button, Tabs, Text } from '@mantine/core';
import { ArrowLeft, FileSearch } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { AreaMap } from '../../../../shared/diff/areas.ts';
import type { ImageDiff } from '../../../../shared/domain/image-diff.ts';
import type { PatchMap } from '../../../../shared/domain/patch-map.ts';
import { call } from '../../../rpc/client.ts';
import { type OpenDiff, useDiff } from '../../../stores/diff.ts';
import { useRunningJob, useStudio } from '../../../stores/studio.ts';
import { EmptyState } from '../../../widgets/empty-state.tsx';
import { countText, pluralText } from '../../../widgets/format-text.ts';
import { JobStrip } from '../../../widgets/job-strip.tsx';
import { ProblemAlert } from '../../../widgets/problem-alert.tsx';
import { ViewHeader } from '../../../widgets/view-header.tsx';
import { BytePages } from './byte-pages.ts';
import { PartsTable, RunsTable, SectorsTable } from './change-tables.tsx';
import { DensityStrip } from './density-strip.tsx';
import classes from './diff-view.module.css';
import { HexNavigator } from './hex-navigator.ts';
import { HexPanes } from './hex-panes.tsx';
import { PaneToolbar } from './pane-toolbar.tsx';
import { PatchPanel } from './patch-panel.tsx';
import { addElfFiles, compareFiles } from './pick-images.ts';
import { RowsTable } from './rows-table.tsx';

/** Two images beside each other: where they differ, what that touches, and every byte of both. */
export function DiffView({ diff }: { readonly diff: OpenDiff }) {
  const act = useStudio((state) => state.act);
  const close = useDiff((state) => state.close);
  const job = useRunningJob('delta.diff');
  const { report, names } = diff;
  return (
    <>
      <ViewHeader
        title="Compare"
        about={`${names.old} with ${names.new}`}
        actions={
          <>
            {report.symbols === null && (
              <Button
                variant="default"
                onClick={() => void act(() => addElfFiles(diff))}
                data-testid="add-elf"
              >
                Add ELF files
              </Button>
            )}
            <Button
              variant="default"
              onClick={() => void act(compareFiles)}
              data-testid="compare-files"
            >
              Compare files
            </Button>
            <Button
              variant="default"
              leftSection={<ArrowLeft size={14} aria-hidden />}
              onClick={() => void act(close)}
              data-testid="diff-close"
            >
              Back to deltas
            </Button>
          </>
        }
      />
      {job && <JobStrip job={job} />}
      <Text className={classes.summary} component="div" data-testid="diff-summary">
        {summaryText(report)}
      </Text>
      <Comparison diff={diff} key={diff.diffId} />
    </>
  );
}

const placedWords: Record<ImageDiff['old']['placed'], string> = {
  file: 'by the addresses in the file',
  given: 'at the given address',
  'memory-map': 'at the start of the memory region',
  offset: 'by file offsets',
};

function summaryText({ totals, sectors, runs, old, new: newer }: ImageDiff): string {
  const { changedBytes, addedBytes, removedBytes, sameBytes } = totals;
  const placed =
    old.placed === newer.placed
      ? `both ${placedWords[old.placed]}`
      : `old ${placedWords[old.placed]}, new ${placedWords[newer.placed]}`;
  if (changedBytes + addedBytes + removedBytes === 0)
    return `No difference in ${pluralText(sameBytes, 'byte')}, ${placed}.`;
  return `${pluralText(changedBytes, 'byte')} changed, ${countText(addedBytes)} added, ${countText(removedBytes)} removed, ${countText(sameBytes)} the same, in ${pluralText(runs.total, 'run')}; ${countText(sectors.touched)} of ${pluralText(sectors.total, 'sector')} touched; ${placed}.`;
}

function Comparison({ diff }: { readonly diff: OpenDiff }) {
  const { report, diffId, names } = diff;
  const [note, setNote] = useState('');
  const [asTable, setAsTable] = useState(false);
  const goToRef = useRef<HTMLInputElement>(null);
  const { navigator, pages } = useMemo(() => {
    const map = new AreaMap(report.areas);
    const fetch = (address: number, sizeBytes: number) =>
      call('delta.diff.bytes', { diffId, address, sizeBytes });
    return {
      navigator: new HexNavigator(map, report.runs.listed),
      pages: new BytePages(map, fetch),
    };
  }, [report, diffId]);
  useEffect(() => navigator.subscribe(() => setNote('')), [navigator]);

  const toChange = useCallback(
    (direction: 1 | -1) => {
      if (!navigator.toChange(direction))
        setNote(direction > 0 ? 'No further change.' : 'No change before this.');
    },
    [navigator],
  );
  const onCommand = (key: string): boolean => {
    if (key === 'n') toChange(1);
    else if (key === 'p') toChange(-1);
    else if (key === 'g') goToRef.current?.select();
    else return false;
    return true;
  };
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== 'F7' || event.ctrlKey || event.altKey || event.metaKey) return;
      toChange(event.shiftKey ? -1 : 1);
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [toChange]);
  const go = (address: number) => void navigator.toAddress(address);

  return (
    <>
      <ReadingProblem pages={pages} />
      <DensityStrip density={report.density} navigator={navigator} />
      <PaneToolbar
        navigator={navigator}
        pages={pages}
        goToRef={goToRef}
        onChange={toChange}
        note={note}
        asTable={asTable}
        onAsTable={setAsTable}
      />
      {asTable ? (
        <RowsTable navigator={navigator} pages={pages} />
      ) : (
        <HexPanes navigator={navigator} pages={pages} names={names} onCommand={onCommand} />
      )}
      <Details diff={diff} navigator={navigator} onGo={go} />
    </>
  );
}

function ReadingProblem({ pages }: { readonly pages: BytePages }) {
  const problem = useSyncExternalStore(pages.subscribe, pages.problem);
  if (!problem) return null;
  return (
    <ProblemAlert
      problem={problem}
      action={
        <Button size="compact-xs" onClick={() => pages.retry()}>
          Try again
        </Button>
      }
    />
  );
}

function Details(props: {
  readonly diff: OpenDiff;
  readonly navigator: HexNavigator;
  readonly onGo: (address: number) => void;
}) {
  const { diff, navigator, onGo } = props;
  const { report, deltaPackageId } = diff;
  const [patchMap, setPatchMap] = useState<PatchMap | null>(null);
  const start = navigator.map.areas[0]?.start ?? 0;
  return (
    <Tabs defaultValue="runs" className={classes.details} classNames={{ panel: classes.panel }}>
      <Tabs.List>
        <Tabs.Tab value="runs">Changes ({countText(report.runs.total)})</Tabs.Tab>
        <Tabs.Tab value="sectors">Sectors ({countText(report.sectors.touched)})</Tabs.Tab>
        <Tabs.Tab value="sections">Sections</Tabs.Tab>
        <Tabs.Tab value="symbols">Symbols</Tabs.Tab>
        <Tabs.Tab value="patch">Patch</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="runs">
        <RunsTable runs={report.runs} onGo={onGo} />
      </Tabs.Panel>
      <Tabs.Panel value="sectors">
        <SectorsTable sectors={report.sectors} onGo={onGo} />
      </Tabs.Panel>
      <Tabs.Panel value="sections">
        {report.sections ? (
          <PartsTable noun="section" parts={report.sections} onGo={onGo} />
        ) : (
          <NeedsElf />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="symbols">
        {report.symbols ? (
          <PartsTable noun="symbol" parts={report.symbols} onGo={onGo} />
        ) : (
          <NeedsElf />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="patch">
        <PatchPanel
          deltaPackageId={deltaPackageId}
          map={patchMap}
          onMap={setPatchMap}
          onGo={report.new.placed === 'file' ? null : (offset) => onGo(start + offset)}
        />
      </Tabs.Panel>
    </Tabs>
  );
}

function NeedsElf() {
  return (
    <EmptyState
      icon={FileSearch}
      sentence="Sections and symbols are told when there is an ELF file of each image: add them above."
    />
  );
}
