import { useEffect, useSyncExternalStore } from 'react';
import { rowBytes } from '../../../../shared/diff/areas.ts';
import { hexText } from '../../../widgets/format-text.ts';
import type { BytePages } from './byte-pages.ts';
import classes from './diff-view.module.css';
import type { HexNavigator } from './hex-navigator.ts';
import { byteDigits, type HexRow, readRow } from './hex-row.ts';

const tableRows = 32;

/** The rows in sight as a table of text: what the panes draw, for those who read instead of look. */
export function RowsTable(props: { readonly navigator: HexNavigator; readonly pages: BytePages }) {
  const { navigator, pages } = props;
  const { topRow, visibleRows } = useSyncExternalStore(navigator.subscribe, navigator.position);
  useSyncExternalStore(pages.subscribe, pages.arrivals);
  const first = Math.floor(topRow);
  useEffect(() => navigator.resize(tableRows), [navigator]);
  useEffect(
    () => pages.show(first * rowBytes, (first + visibleRows) * rowBytes, 0),
    [pages, first, visibleRows],
  );
  const rows = Array.from(
    { length: Math.min(visibleRows, navigator.rows - first) },
    (_, index) => (first + index) * rowBytes,
  );
  return (
    <div
      className={classes.rowsTable}
      tabIndex={0}
      role="group"
      aria-label="Rows in sight"
      onKeyDown={(event) => {
        if (!event.key.startsWith('Page') || !navigator.press(event.key, false)) return;
        event.preventDefault();
      }}
      data-testid="hex-table"
    >
      <table>
        <thead>
          <tr>
            <th scope="col">Address</th>
            <th scope="col">Old bytes</th>
            <th scope="col">New bytes</th>
            <th scope="col">Differences</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((offset) => {
            const row = readRow(pages, offset);
            return (
              <tr key={offset}>
                <th scope="row">{hexText(navigator.map.addressAt(offset))}</th>
                <td>{row ? bytesText(row.old) : 'loading'}</td>
                <td>{row ? bytesText(row.new) : 'loading'}</td>
                <td>{row ? differencesText(row) : ''}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const bytesText = (bytes: readonly number[]): string =>
  bytes.every((byte) => byte < 0) ? 'none' : bytes.map((byte) => byteDigits(byte, '··')).join(' ');

function differencesText({ old, new: newer, states }: HexRow): string {
  const count = (state: string): number => states.filter((each) => each === state).length;
  const changed = states.flatMap((state, byte) =>
    state === 'changed'
      ? [
          `+${byteDigits(byte, '')} ${byteDigits(old[byte] ?? -1, '')} to ${byteDigits(newer[byte] ?? -1, '')}`,
        ]
      : [],
  );
  return [
    ...changed,
    ...(count('added') > 0 ? [`${count('added')} added`] : []),
    ...(count('removed') > 0 ? [`${count('removed')} removed`] : []),
  ].join(', ');
}
