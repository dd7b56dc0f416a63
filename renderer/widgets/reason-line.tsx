import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './reason-line.module.css';
import { type Tone, ToneIcon } from './tone-badge.tsx';

/** What a check or gate came to, with why below it; a reason that asks for something is not dimmed. */
export function ReasonLine(props: {
  readonly tone: Tone;
  readonly title: string;
  readonly why: string;
  /** What can be done about it. */
  readonly children?: ReactNode;
}) {
  return (
    <div className={classes.line}>
      <ToneIcon tone={props.tone} />
      <div>
        <Text fw={500}>{props.title}</Text>
        <Text size="xs" className={classes.why} {...(props.tone === 'bad' ? {} : { c: 'dimmed' })}>
          {props.why}
        </Text>
        {props.children}
      </div>
    </div>
  );
}
