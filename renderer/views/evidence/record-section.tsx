import { Stack, Text } from '@mantine/core';
import type { Verdict } from '../../../shared/domain/finding.ts';
import { pluralText } from '../../widgets/format-text.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge, ToneIcon } from '../../widgets/tone-badge.tsx';
import { verdictTones, verdictWords } from '../../widgets/verdict-badge.tsx';
import classes from './evidence-view.module.css';
import type { RecordPart, RecordParts } from './record-parts.ts';

/** What an export would write now, in a form people can read. */
export function RecordSection(props: {
  readonly parts: RecordParts | null;
  readonly version: string;
}) {
  const { parts, version } = props;
  return (
    <Section
      title={`What the record of ${version} holds`}
      fill
      testId="record"
      actions={<ToneBadge tone="warn" word="Unsigned" />}
    >
      {parts === null ? (
        <LoadingLines label="Reading the records" lines={8} />
      ) : (
        <Stack gap="md">
          <Text size="xs" c="dimmed">
            The record is one file, bound to the images by SHA-256. It is unsigned: it shows when
            anything in it was changed, but not who made it.
          </Text>
          <Parts
            title="Version packages"
            parts={parts.packages}
            none="None yet: without a package there is nothing to record."
          />
          <Parts
            title="Deltas proven"
            parts={parts.deltas}
            none="None: devices get full packages."
          />
          <Parts
            title="Bench runs"
            parts={parts.benchRuns}
            none="None: no image of this release was put on a board."
          />
          <Parts title="Rollouts" parts={parts.rollouts} none="None was published yet." />
          {parts.unpublishedPlans > 0 && (
            <Text size="xs" c="dimmed">
              {pluralText(parts.unpublishedPlans, 'saved plan')} not published, so not part of it.
            </Text>
          )}
        </Stack>
      )}
    </Section>
  );
}

function Parts(props: {
  readonly title: string;
  readonly parts: readonly RecordPart[];
  readonly none: string;
}) {
  return (
    <div>
      <Text fw={600}>
        {props.title} ({props.parts.length})
      </Text>
      {props.parts.length === 0 && (
        <Text size="xs" c="dimmed">
          {props.none}
        </Text>
      )}
      {props.parts.map((part) => (
        <div key={part.id} className={classes.part}>
          <VerdictIcon verdict={part.verdict} />
          <div>
            <Text style={{ overflowWrap: 'anywhere' }}>{part.title}</Text>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {part.detail}
            </Text>
          </div>
          {part.sha256 !== null && <HashText hash={part.sha256} />}
        </div>
      ))}
    </div>
  );
}

function VerdictIcon({ verdict }: { readonly verdict: Verdict }) {
  return (
    <span role="img" aria-label={verdictWords[verdict]} title={verdictWords[verdict]}>
      <ToneIcon tone={verdictTones[verdict]} />
    </span>
  );
}
