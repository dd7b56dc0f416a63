import type { ReactNode } from 'react';
import classes from './fact-list.module.css';

/** Names and values: beside each other in two columns, or in a row, each name above its value. */
export function FactList(props: {
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
  readonly layout?: 'columns' | 'row';
  readonly testId?: string;
}) {
  return (
    <dl className={classes[props.layout ?? 'columns']} data-testid={props.testId}>
      {props.facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
