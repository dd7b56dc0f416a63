import { byteText } from '../../shared/domain/progress-text.ts';
import { exactBytesText, hexText, percentText } from './format-text.ts';
import type { MemoryLayout, RegionUse } from './memory-layout.ts';
import { RunSwatch } from './memory-strip.tsx';
import classes from './memory-table.module.css';
import { runText } from './memory-text.ts';

/** Every run of a region with its addresses and its size: what the strip shows, in numbers. */
export function MemoryTable(props: { readonly use: RegionUse; readonly layout: MemoryLayout }) {
  const { use, layout } = props;
  const { region, runs } = use;
  return (
    <div className={classes.scroll} tabIndex={0} role="group" aria-label={`Runs of ${region.name}`}>
      <table className={classes.table} data-testid="memory-table">
        <thead>
          <tr>
            <th scope="col">Addresses</th>
            <th scope="col">Size</th>
            <th scope="col">Use</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.start}>
              <td className={classes.addresses}>
                {hexText(run.start)}
                <br />
                {hexText(run.start + run.sizeBytes - 1)}
              </td>
              <td className={classes.size}>
                {byteText(run.sizeBytes)}, {percentText(run.sizeBytes / region.sizeBytes)}
                <br />
                <span className={classes.exact}>{exactBytesText(run.sizeBytes)}</span>
              </td>
              <td>
                <RunSwatch
                  use={run.use}
                  {...(run.files.length === 1 && run.files[0] !== undefined
                    ? { file: run.files[0] }
                    : {})}
                />{' '}
                {runText(run, layout)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
