import { Tooltip, UnstyledButton } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import { useCopy } from './use-copy.ts';
import classes from './hash-text.module.css';

const shownDigits = 12;

/** A hash shortened to its first 12 digits; the whole of it in the tooltip and, on click, on the clipboard. */
export function HashText(props: { readonly hash: string; readonly label?: string }) {
  const { state, copy } = useCopy();
  const hints = { idle: 'Click to copy', copied: 'Copied', refused: 'The clipboard refused it' };
  const what = props.label ?? 'SHA-256';
  const short = props.hash.slice(0, shownDigits);
  const Icon = state === 'copied' ? Check : Copy;
  return (
    <Tooltip
      label={
        <span className={classes.full}>
          {what} {props.hash}
          <br />
          {hints[state]}
        </span>
      }
    >
      <UnstyledButton
        className={classes.hash}
        aria-label={`Copy ${what} ${short}`}
        onClick={(event) => {
          event.stopPropagation();
          copy(props.hash);
        }}
      >
        {short}
        <Icon size={12} aria-hidden />
      </UnstyledButton>
    </Tooltip>
  );
}
