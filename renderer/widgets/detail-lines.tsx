import classes from './detail-lines.module.css';

/** Lines that are shown once they are asked for. */
export function DetailLines(props: {
  readonly summary: string;
  readonly lines: readonly string[];
  readonly testId?: string;
}) {
  return (
    <details className={classes.details} data-testid={props.testId}>
      <summary>{props.summary}</summary>
      <ul>
        {props.lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </details>
  );
}
