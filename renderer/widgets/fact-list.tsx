import type { ReactNode } from 'react';
import classes from './fact-list.module.css';

/** Names and values in two columns, for example the facts of a package. */
export function FactList(props: {
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
}) {
  return (
    <dl className={classes.facts}>
      {props.facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
