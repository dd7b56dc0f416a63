import { Text } from '@mantine/core';
import { byteText } from '../../shared/domain/progress-text.ts';
import { exactBytesText, hexText, percentText } from './format-text.ts';
import type { RegionUse } from './memory-layout.ts';
import classes from './memory-map.module.css';

/** The regions of a component's memory to scale, with what the files fill. */
export function MemoryMap({ uses }: { readonly uses: readonly RegionUse[] }) {
  const assumed = uses.some((use) => use.pieces.some((piece) => piece.assumed));
  return (
    <div className={classes.map} data-testid="memory-map">
      {uses.map((use) => (
        <RegionStrip key={use.region.name} use={use} />
      ))}
      {assumed && (
        <Text size="xs" c="dimmed">
          A raw image carries no address: it is drawn from the start of the region.
        </Text>
      )}
    </div>
  );
}

function RegionStrip({ use }: { readonly use: RegionUse }) {
  const { region, pieces, usedBytes, overlaps } = use;
  const overlapBytes = overlaps.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const end = region.start + region.sizeBytes - 1;
  const summary = `${byteText(usedBytes)} of ${byteText(region.sizeBytes)} used (${percentText(usedBytes / region.sizeBytes)})`;
  const percent = (bytes: number): string => `${(100 * bytes) / region.sizeBytes}%`;
  return (
    <div>
      <div className={classes.head}>
        <Text fw={600}>{region.name}</Text>
        <Text title={`${exactBytesText(usedBytes)} of ${exactBytesText(region.sizeBytes)}`}>
          {summary}
        </Text>
      </div>
      <div className={classes.strip} role="img" aria-label={`${region.name}: ${summary}`}>
        {pieces.map((piece, index) => (
          <span
            key={index}
            className={classes.piece}
            title={`${piece.fileName}, ${hexText(piece.start)}–${hexText(piece.start + piece.sizeBytes - 1)}, ${exactBytesText(piece.sizeBytes)}`}
            style={{ left: percent(piece.start - region.start), width: percent(piece.sizeBytes) }}
          />
        ))}
        {overlaps.map(({ start, sizeBytes }) => (
          <span
            key={start}
            className={classes.overlap}
            style={{ left: percent(start - region.start), width: percent(sizeBytes) }}
          />
        ))}
      </div>
      <div className={classes.scale}>
        <span>{hexText(region.start)}</span>
        <span>{hexText(end)}</span>
      </div>
      {overlapBytes > 0 && (
        <Text size="xs" c="red">
          {exactBytesText(overlapBytes)} are claimed by more than one file (hatched).
        </Text>
      )}
    </div>
  );
}
