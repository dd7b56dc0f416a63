import { Text, Tooltip } from '@mantine/core';
import { byteText } from '../../shared/domain/progress-text.ts';
import { agoText, exactBytesText, timeText } from './format-text.ts';

/** A byte count in binary units, the exact number in the tooltip. */
export function Bytes({ value }: { readonly value: number }) {
  return (
    <Tooltip label={exactBytesText(value)}>
      <span className="digits">{byteText(value)}</span>
    </Tooltip>
  );
}

/** A local date and time, how long ago in the tooltip. */
export function Time({ at }: { readonly at: string }) {
  return (
    <Tooltip label={`${agoText(at, Date.now())}, ${at}`}>
      <time className="digits" dateTime={at}>
        {timeText(at)}
      </time>
    </Tooltip>
  );
}

/** Text that ends in an ellipsis when there is no room, with all of it in the tooltip. */
export function ClippedText(props: {
  readonly text: string;
  readonly mono?: boolean;
  readonly dimmed?: boolean;
}) {
  return (
    <Tooltip label={props.text} style={{ overflowWrap: 'anywhere' }}>
      <Text
        component="span"
        truncate
        display="block"
        lh="inherit"
        {...(props.mono ? { ff: 'monospace', size: 'xs' } : {})}
        {...(props.dimmed ? { c: 'dimmed' } : {})}
      >
        {props.text}
      </Text>
    </Tooltip>
  );
}

/**
 * Text of a cell with all of it in the system's own tooltip, for grids of thousands of rows that
 * are scrolled fast: it costs nothing to draw.
 */
export function TitledText({ text }: { readonly text: string }) {
  return <span title={text}>{text}</span>;
}
