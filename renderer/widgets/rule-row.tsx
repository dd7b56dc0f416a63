import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import type { Finding } from '../../shared/domain/finding.ts';
import type { FindingGroup } from './finding-groups.ts';
import classes from './rule-row.module.css';
import { hexText } from './format-text.ts';
import { HashText } from './hash-text.tsx';
import { ToneBadge, ToneIcon } from './tone-badge.tsx';
import { Time } from './value-text.tsx';
import { VerdictBadge, verdictWords } from './verdict-badge.tsx';

const shownPerRule = 4;

/** What a person can do about the findings of a rule in one file. */
export interface WaiveActions {
  readonly onWaive: (group: FindingGroup) => void;
  readonly onTakeBack: (group: FindingGroup) => void;
}

/** What a rule found in a file, with what policy and waivers made of it. */
export function RuleRow(props: { readonly group: FindingGroup; readonly actions?: WaiveActions }) {
  const { group, actions } = props;
  const { rule, verdict, title, fix, waivable, policy, waived, voidWaiver } = group;
  const [all, setAll] = useState(false);
  const shown = all ? group.findings : group.findings.slice(0, shownPerRule);
  const hidden = group.findings.length - shown.length;
  const canWaive = actions !== undefined && waivable && waived === undefined && verdict !== 'pass';
  return (
    <div
      className={classes.rule}
      data-waived={waived !== undefined || undefined}
      data-testid="finding"
    >
      <div className={classes.badges}>
        {policy?.set === 'allow' && verdict === 'pass' ? (
          <ToneBadge tone="info" word="Allowed" />
        ) : (
          <VerdictBadge verdict={verdict} />
        )}
        {waived && <ToneBadge tone="info" word="Waived" />}
      </div>
      <div className={classes.words}>
        <div className={classes.title}>
          <Text fw={600}>{title}</Text>
          <Text size="xs" ff="monospace" c="dimmed">
            {rule}
          </Text>
        </div>
        {shown.map((finding, index) => (
          <div key={index}>
            <Text className={classes.detail}>{finding.detail}</Text>
            <Evidence evidence={finding.evidence} />
          </div>
        ))}
        {hidden > 0 && (
          <Button size="compact-xs" variant="subtle" onClick={() => setAll(true)}>
            Show {hidden} more of this rule
          </Button>
        )}
        {policy && (
          <Text size="xs" c="dimmed">
            {verdictWords[policy.own]} by itself; the policy says{' '}
            <code>
              {policy.pattern}: {policy.set}
            </code>
          </Text>
        )}
        {voidWaiver && (
          <div className={classes.note}>
            <ToneIcon tone="warn" size={14} />
            <Text size="xs">
              A waiver by {voidWaiver.name} of <Time at={voidWaiver.at} /> is void here: it was
              given for other bytes, SHA-256 <HashText hash={voidWaiver.sha256} />
            </Text>
          </div>
        )}
        {waived ? (
          <Text className={classes.detail}>
            Waived by {waived.name}, <Time at={waived.at} />: {waived.reason}
          </Text>
        ) : (
          verdict !== 'pass' &&
          fix !== '' && (
            <Text>
              <b>Fix:</b> {fix}
            </Text>
          )
        )}
        {canWaive && (
          <Button
            className={classes.action}
            size="compact-xs"
            variant="subtle"
            aria-label={`Waive ${rule}`}
            onClick={() => actions.onWaive(group)}
          >
            Waive…
          </Button>
        )}
        {waived && actions && (
          <Button
            className={classes.action}
            size="compact-xs"
            variant="subtle"
            aria-label={`Take back the waiver of ${rule}`}
            onClick={() => actions.onTakeBack(group)}
          >
            Take back…
          </Button>
        )}
      </div>
    </div>
  );
}

function Evidence({ evidence }: { readonly evidence: Finding['evidence'] }) {
  const { member, offset, expected, found } = evidence;
  const facts = [
    ['Member', member],
    ['Offset', offset === undefined ? undefined : hexText(offset)],
    ['Expected', expected],
    ['Found', found],
  ] as const;
  const known = facts.filter(([, value]) => value !== undefined);
  if (known.length === 0) return null;
  return (
    <dl className={classes.evidence}>
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
