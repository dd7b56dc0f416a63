import type { Verification } from '../../shared/domain/verification.ts';
import { durationText } from './format-text.ts';
import { type Tone, ToneBadge } from './tone-badge.tsx';
import { Time } from './value-text.tsx';
import classes from './verification-list.module.css';

const outcomes: Readonly<Record<Verification['outcome'], readonly [Tone, string]>> = {
  running: ['busy', 'Running'],
  succeeded: ['good', 'Succeeded'],
  failed: ['bad', 'Failed'],
};

/** What people read for why a verification failed. */
const errorTitles: Readonly<Record<string, string>> = {
  'verification-timeout': 'not proven within 60 minutes',
  terminated: 'terminated',
  'never-issued': 'the cloud never got it',
};

/** What was tried on one device each: how it came out, where, when, and what it took or why it failed. */
export function VerificationList({ tried }: { readonly tried: readonly Verification[] }) {
  return (
    <ul className={classes.list} data-testid="verifications">
      {tried.map((one) => (
        <Tried key={one.id} verification={one} />
      ))}
    </ul>
  );
}

function Tried({ verification }: { readonly verification: Verification }) {
  const { outcome, error, deviceId, packageName, startedAt, finishedAt } = verification;
  const [tone, word] = outcomes[outcome];
  const end = error === null ? '' : `, ${errorTitles[error] ?? error}`;
  const span =
    finishedAt === null
      ? ''
      : `, after ${durationText(Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)))}`;
  return (
    <li data-outcome={outcome}>
      <ToneBadge tone={tone} word={word} />
      <Time at={startedAt} />
      <p>
        <strong>{deviceId}</strong>
        <br />
        {`${packageName}${end}${span}`}
      </p>
    </li>
  );
}
