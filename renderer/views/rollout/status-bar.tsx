import type { PlanStatus } from '../../../shared/domain/plan.ts';
import { countText, durationText, percentText } from '../../widgets/format-text.ts';
import classes from './live-plan.module.css';
import { statePartsOf, successRateText } from './status-text.ts';

/** How many devices are in which state: a stacked bar, and the same in words and numbers. */
export function StatusBar({ status }: { readonly status: PlanStatus }) {
  const parts = statePartsOf(status.counts);
  return (
    <div className={classes.toned}>
      <div className={classes.bar} aria-hidden>
        {parts
          .filter(({ count }) => count > 0)
          .map(({ state, percent }) => (
            <div
              key={state}
              className={classes.fill}
              data-state={state}
              style={{ flexGrow: percent, flexBasis: 0 }}
            />
          ))}
      </div>
      <ul className={classes.legend} aria-label="Devices by state" data-testid="counts">
        {parts.map(({ state, title, count, percent }) => (
          <li key={state} data-count={state}>
            <span className={`${classes.swatch} ${classes.fill}`} data-state={state} aria-hidden />
            {title} <strong>{countText(count)}</strong>
            {count > 0 && ` (${percentText(percent / 100)})`}
          </li>
        ))}
        <li className={classes.push} data-testid="success-rate">
          Success rate: {successRateText(status)}
          {typeof status.timeTo95Ms === 'number' &&
            `; 95 % after ${durationText(status.timeTo95Ms)}`}
        </li>
      </ul>
    </div>
  );
}
