import type { ReactNode } from 'react';
import classes from './facts.module.css';

/** Names and values side by side, for the few facts that a result comes down to. */
export function Facts(props: {
  readonly facts: readonly { readonly name: string; readonly value: ReactNode }[];
  readonly testId?: string;
}) {
  return (
    <dl className={classes.facts} data-testid={props.testId}>
      {props.facts.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
