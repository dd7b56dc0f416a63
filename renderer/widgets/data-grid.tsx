import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import classes from './data-grid.module.css';

const heights = { usual: 28, dense: 20 } as const;

/** One column: a fixed width in pixels, or a share of the room that is left. */
export interface GridColumn<Row> {
  readonly id: string;
  readonly title: string;
  /** What the column shows, for the tooltip of its head. */
  readonly hint?: string;
  readonly widthPx?: number;
  /** Least width in pixels of a column that shares the room that is left; 120 by default. */
  readonly minWidthPx?: number;
  readonly align?: 'left' | 'right';
  readonly sortable?: boolean;
  readonly render: (row: Row) => ReactNode;
}

/** Which column the rows are in the order of. */
export interface GridSort {
  readonly columnId: string;
  readonly descending: boolean;
}

interface DataGridProps<Row> {
  /** Name for assistive technology. */
  readonly label: string;
  readonly columns: readonly GridColumn<Row>[];
  readonly rowCount: number;
  /** `undefined` for a row whose page is not loaded yet. */
  readonly getRow: (index: number) => Row | undefined;
  readonly rowKey?: (row: Row) => string;
  /** Called when other rows come into sight, so that their pages can be fetched. */
  readonly onRangeVisible?: (first: number, last: number) => void;
  readonly sort?: GridSort;
  readonly onSort?: (columnId: string) => void;
  readonly isSelected?: (row: Row) => boolean;
  /** Called when a row becomes the current one by mouse or keyboard. */
  readonly onSelect?: (row: Row, index: number) => void;
  /** Called on Enter and on double click. */
  readonly onOpen?: (row: Row, index: number) => void;
  /** Lower rows, for text that is read line by line. */
  readonly isDense?: boolean;
  /** A row that is brought into sight when another one is named. */
  readonly showRow?: number | undefined;
  /** Keeps the last row in sight while rows are added. */
  readonly followEnd?: boolean;
  /** Shown in place of rows when there are none. */
  readonly empty?: ReactNode;
  readonly testId?: string;
}

/**
 * A table of any length that draws only the rows in sight. One tab stop; arrows, Page Up and Down,
 * Home and End move the current row, Enter opens it. It fills its container, which gives the height.
 */
export function DataGrid<Row>(props: DataGridProps<Row>) {
  const { columns, rowCount, getRow, onRangeVisible, sort } = props;
  const gridId = useId();
  const rowHeightPx = props.isDense ? heights.dense : heights.usual;
  const scrollRef = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const current = Math.min(active, Math.max(0, rowCount - 1));
  const virtual = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => rowHeightPx,
    overscan: 12,
    scrollPaddingStart: heights.usual,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= first) onRangeVisible?.(first, last);
  }, [first, last, onRangeVisible]);

  const followEnd = props.followEnd === true;
  useEffect(() => {
    if (followEnd && rowCount > 0) virtual.scrollToIndex(rowCount - 1, { align: 'end' });
  }, [followEnd, rowCount, virtual]);

  const { showRow } = props;
  useEffect(() => {
    if (showRow !== undefined) virtual.scrollToIndex(showRow, { align: 'center' });
  }, [showRow, virtual]);

  const template = columns
    .map(({ widthPx, minWidthPx }) =>
      widthPx === undefined ? `minmax(${minWidthPx ?? 120}px, 1fr)` : `${widthPx}px`,
    )
    .join(' ');
  const minWidth = columns.reduce(
    (sum, { widthPx, minWidthPx }) => sum + (widthPx ?? minWidthPx ?? 120),
    0,
  );

  const moveTo = (index: number) => {
    const next = Math.max(0, Math.min(rowCount - 1, index));
    setActive(next);
    virtual.scrollToIndex(next);
    const row = getRow(next);
    if (row !== undefined) props.onSelect?.(row, next);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || rowCount === 0) return;
    const page = Math.max(1, Math.floor((scrollRef.current?.clientHeight ?? 0) / rowHeightPx) - 2);
    const targets: Record<string, number> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + page,
      PageUp: current - page,
      Home: 0,
      End: rowCount - 1,
    };
    const target = targets[event.key];
    if (target !== undefined) moveTo(target);
    else if (event.key === 'Enter') {
      const row = getRow(current);
      if (row !== undefined) props.onOpen?.(row, current);
    } else return;
    event.preventDefault();
  };

  return (
    <div
      ref={scrollRef}
      className={classes.grid}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={rowCount + 1}
      aria-colcount={columns.length}
      aria-activedescendant={
        items.some(({ index }) => index === current) ? `${gridId}-${current}` : undefined
      }
      onKeyDown={onKeyDown}
      data-dense={props.isDense || undefined}
      data-testid={props.testId}
    >
      <div role="rowgroup" className={classes.head} style={{ minWidth }}>
        <div role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {columns.map((column) => (
            <HeaderCell key={column.id} column={column} sort={sort} onSort={props.onSort} />
          ))}
        </div>
      </div>
      {rowCount === 0 ? (
        <div role="rowgroup">
          <div role="row" aria-rowindex={2} className={classes.empty}>
            <div role="gridcell" aria-colspan={columns.length}>
              {props.empty ?? 'Nothing here yet.'}
            </div>
          </div>
        </div>
      ) : (
        <div
          role="rowgroup"
          className={classes.body}
          style={{ height: virtual.getTotalSize(), minWidth }}
        >
          {items.map(({ index, start }) => {
            const row = getRow(index);
            const selected = row !== undefined && (props.isSelected?.(row) ?? false);
            return (
              <div
                key={row !== undefined && props.rowKey ? props.rowKey(row) : index}
                id={`${gridId}-${index}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={props.isSelected ? selected : undefined}
                aria-busy={row === undefined || undefined}
                data-active={index === current || undefined}
                className={classes.row}
                style={{ gridTemplateColumns: template, transform: `translateY(${start}px)` }}
                onClick={() => moveTo(index)}
                onDoubleClick={() => row !== undefined && props.onOpen?.(row, index)}
              >
                {columns.map((column) => (
                  <div key={column.id} role="gridcell" data-align={column.align}>
                    {row === undefined ? (
                      <span className={classes.waiting} />
                    ) : (
                      cellOf(column.render(row))
                    )}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}

/** Bare text in an element of its own, so that it can end in an ellipsis. */
function cellOf(content: ReactNode): ReactNode {
  const isText = typeof content === 'string' || typeof content === 'number';
  return isText ? <span>{content}</span> : content;
}

function HeaderCell<Row>(props: {
  readonly column: GridColumn<Row>;
  readonly sort: GridSort | undefined;
  readonly onSort: ((columnId: string) => void) | undefined;
}) {
  const { column, sort, onSort } = props;
  const sorted = sort?.columnId === column.id ? sort : null;
  const order = sorted?.descending ? 'descending' : 'ascending';
  const Arrow = sorted?.descending ? ArrowDown : ArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={sorted ? order : undefined}
      data-align={column.align}
      title={column.hint ?? column.title}
    >
      {column.sortable && onSort ? (
        <button type="button" onClick={() => onSort(column.id)}>
          {column.title}
          {sorted && <Arrow size={12} aria-hidden />}
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}
