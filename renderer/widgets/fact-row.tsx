import type { ReactNode } from 'react';
import classes from './fact-row.module.css';

/** Names above values in a row, for the few facts that a result comes down to. */
export function FactRow(props: {
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
  readonly testId?: string;
}) {
  return (
    <dl className={classes.facts} data-testid={props.testId}>
      {props.facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
