import { Button, Tabs, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import { byteText } from '../../shared/domain/progress-text.ts';
import { exactBytesText } from './format-text.ts';
import { type MemoryLayout, type RegionUse, unseenRegions } from './memory-layout.ts';
import classes from './memory-map.module.css';
import { BankStrips, RegionStrip, RunSwatch } from './memory-strip.tsx';
import { MemoryTable } from './memory-table.tsx';
import {
  fileLetter,
  isConflict,
  rangeText,
  regionSentence,
  shareText,
  useWords,
} from './memory-text.ts';
import { ToneIcon } from './tone-badge.tsx';

const outsideShown = 3;
const usesShown = ['overlap', 'over-trailer', 'trailer', 'free'] as const;

/** A component's memory to scale, one of its regions enlarged, and every run of it as a table. */
export function MemoryMap({ layout }: { readonly layout: MemoryLayout }) {
  const { regions, fileNames, outside, unplaced } = layout;
  const [chosen, setChosen] = useState<string | null>(null);
  const [asTable, setAsTable] = useState(false);
  const { ref, width } = useElementSize();
  const selected = regions.find(({ region }) => region.name === chosen) ?? regions[0];
  if (!selected) return null;
  const unseen = width > 0 ? unseenRegions(layout, width) : [];
  return (
    <div className={classes.map} ref={ref} data-testid="memory-map">
      {regions.length > 1 && (
        <BankStrips
          layout={layout}
          selected={selected.region.name}
          widthPx={width}
          onSelect={setChosen}
        />
      )}
      {unseen.length > 0 && (
        <Text size="xs" c="dimmed">
          Narrower than a pixel at this scale: {unseen.map(({ region }) => region.name).join(', ')}.
          Choose it below to see it enlarged.
        </Text>
      )}
      <Tabs
        orientation="vertical"
        variant="none"
        value={selected.region.name}
        onChange={setChosen}
        classNames={{ root: classes.tabs, list: classes.list, tab: classes.tab }}
      >
        <Tabs.List aria-label="Memory regions">
          {regions.map((use) => (
            <Tabs.Tab key={use.region.name} value={use.region.name}>
              <RegionRow use={use} />
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={selected.region.name} className={classes.panel}>
          {asTable ? (
            <MemoryTable use={selected} layout={layout} />
          ) : (
            <>
              <RegionStrip use={selected} layout={layout} />
              <Legend use={selected} layout={layout} />
            </>
          )}
          <Button
            className={classes.switch}
            size="compact-xs"
            variant="subtle"
            onClick={() => setAsTable(!asTable)}
          >
            {asTable ? 'Show as strip' : 'Show as table'}
          </Button>
        </Tabs.Panel>
      </Tabs>
      {outside.slice(0, outsideShown).map((piece) => (
        <Text key={`${piece.file} ${piece.start}`} size="xs" className={classes.note}>
          <ToneIcon tone="bad" size={14} />
          <span>
            {exactBytesText(piece.sizeBytes)} of {fileNames[piece.file]} lie in no region:{' '}
            {rangeText(piece)}.
          </span>
        </Text>
      ))}
      {outside.length > outsideShown && (
        <Text size="xs">
          And {outside.length - outsideShown} more parts outside of all regions.
        </Text>
      )}
      {regions.some(({ runs }) => runs.some(({ assumed }) => assumed)) && (
        <Text size="xs" c="dimmed">
          An image without addresses is drawn from the start of the region that it is for.
        </Text>
      )}
      {unplaced.length > 0 && (
        <Text size="xs" c="dimmed" className={classes.note}>
          Not drawn, because where it lies is not known:{' '}
          {unplaced.map((file) => fileNames[file]).join(', ')}.
        </Text>
      )}
    </div>
  );
}

function RegionRow({ use }: { readonly use: RegionUse }) {
  const { region, bytes } = use;
  const conflict = bytes.overlap + bytes['over-trailer'] > 0;
  return (
    <span className={classes.row} title={regionSentence(use)}>
      {conflict && <ToneIcon tone="bad" size={14} />}
      <span className={classes.regionName}>{region.name}</span>
      <span className={classes.role}>{region.role}</span>
      <span className={classes.size}>{byteText(region.sizeBytes)}</span>
      <span className={classes.share}>{shareText(use)}</span>
    </span>
  );
}

/** What each pattern of the strip means, with its bytes. */
function Legend({ use, layout }: { readonly use: RegionUse; readonly layout: MemoryLayout }) {
  const files = layout.fileNames.flatMap((name, file) => {
    const sizeBytes = use.runs
      .filter((run) => run.use === 'used' && run.files.includes(file))
      .reduce((sum, run) => sum + run.sizeBytes, 0);
    return sizeBytes > 0 ? [{ name, file, sizeBytes }] : [];
  });
  return (
    <ul className={classes.legend}>
      {files.map(({ name, file, sizeBytes }) => (
        <li key={file}>
          <RunSwatch use="used" file={file} />
          <span className={classes.what}>
            {fileLetter(file)} {name}
          </span>
          <span title={exactBytesText(sizeBytes)}>{byteText(sizeBytes)}</span>
        </li>
      ))}
      {usesShown
        .filter((kind) => use.bytes[kind] > 0)
        .map((kind) => (
          <li key={kind} data-conflict={isConflict(kind) || undefined}>
            <RunSwatch use={kind} />
            <span className={classes.what}>{useWords[kind]}</span>
            <span title={exactBytesText(use.bytes[kind])}>{byteText(use.bytes[kind])}</span>
          </li>
        ))}
    </ul>
  );
}
