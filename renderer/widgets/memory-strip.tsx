import { useElementSize } from '@mantine/hooks';
import { byteText } from '../../shared/domain/progress-text.ts';
import { hexText } from './format-text.ts';
import {
  type MemoryBank,
  type MemoryLayout,
  type MemoryRun,
  type RegionUse,
  widestBytes,
} from './memory-layout.ts';
import classes from './memory-strip.module.css';
import { fileLetter, rangeText, regionSentence, runText } from './memory-text.ts';

/** Files are told apart by this many patterns; a package has no more files. */
const filePatterns = 5;
const letterPx = 14;
const namePx = 34;

const percent = (bytes: number, of: number): string => `${(100 * bytes) / of}%`;

/** One region over the whole width, its runs with the letters of their files. */
export function RegionStrip(props: { readonly use: RegionUse; readonly layout: MemoryLayout }) {
  const { use, layout } = props;
  const { region } = use;
  const { ref, width } = useElementSize();
  return (
    <div>
      <div
        ref={ref}
        className={classes.strip}
        data-testid="region-strip"
        role="img"
        aria-label={regionSentence(use)}
      >
        <Runs
          use={use}
          layout={layout}
          letterFrom={
            width === 0 ? Number.POSITIVE_INFINITY : (letterPx * region.sizeBytes) / width
          }
        />
      </div>
      <div className={classes.scale} aria-hidden>
        <span>{hexText(region.start)}</span>
        <span>{hexText(region.start + region.sizeBytes - 1)}</span>
      </div>
    </div>
  );
}

/** All regions at one scale: a byte is as wide in every strip. */
export function BankStrips(props: {
  readonly layout: MemoryLayout;
  readonly selected: string;
  readonly widthPx: number;
  readonly onSelect: (name: string) => void;
}) {
  const { layout } = props;
  const widest = widestBytes(layout.banks);
  return (
    <div className={classes.banks}>
      {layout.banks.map((bank) => (
        <div key={bank.start} style={{ width: percent(bank.sizeBytes, widest) }}>
          <Bank {...props} bank={bank} pxPerByte={props.widthPx / widest} />
          <div className={classes.scale} aria-hidden>
            <span>{hexText(bank.start)}</span>
          </div>
        </div>
      ))}
    </div>
  );
}

function Bank(
  props: Parameters<typeof BankStrips>[0] & {
    readonly bank: MemoryBank;
    readonly pxPerByte: number;
  },
) {
  const { bank, layout, pxPerByte } = props;
  return bank.lanes.map((lane, index) => (
    <div
      key={index}
      className={classes.lane}
      role="img"
      aria-label={lane.map(regionSentence).join(' ')}
    >
      {lane.map((use) => (
        <div
          key={use.region.name}
          className={classes.region}
          data-selected={use.region.name === props.selected || undefined}
          title={`${use.region.name}, ${rangeText(use.region)}, ${byteText(use.region.sizeBytes)}`}
          style={{
            left: percent(use.region.start - bank.start, bank.sizeBytes),
            width: percent(use.region.sizeBytes, bank.sizeBytes),
          }}
          onClick={() => props.onSelect(use.region.name)}
        >
          <Runs use={use} layout={layout} letterFrom={Number.POSITIVE_INFINITY} />
          {use.region.sizeBytes * pxPerByte >= namePx && (
            <span className={classes.name}>{use.region.name}</span>
          )}
        </div>
      ))}
    </div>
  ));
}

function Runs(props: {
  readonly use: RegionUse;
  readonly layout: MemoryLayout;
  /** Runs of at least this many bytes carry the letters of their files. */
  readonly letterFrom: number;
}) {
  const { use, layout, letterFrom } = props;
  const { region, runs } = use;
  return runs
    .filter((run) => run.use !== 'free')
    .map((run) => (
      <span
        key={run.start}
        className={classes.run}
        data-use={run.use}
        data-assumed={run.assumed || undefined}
        data-file={patternOf(run)}
        title={`${runText(run, layout)}, ${rangeText(run)}, ${byteText(run.sizeBytes)}`}
        style={{
          left: percent(run.start - region.start, region.sizeBytes),
          width: percent(run.sizeBytes, region.sizeBytes),
        }}
      >
        {run.sizeBytes >= letterFrom && run.files.length > 0 && (
          <span className={classes.letter}>{run.files.map(fileLetter).join('+')}</span>
        )}
      </span>
    ));
}

const patternOf = ({ files }: MemoryRun): number | undefined =>
  files.length === 1 ? (files[0] ?? 0) % filePatterns : undefined;

/** The look of one use of memory, for the legend. */
export function RunSwatch(props: { readonly use: MemoryRun['use']; readonly file?: number }) {
  return (
    <span
      className={classes.swatch}
      data-use={props.use}
      data-file={props.file === undefined ? undefined : props.file % filePatterns}
      aria-hidden
    />
  );
}
