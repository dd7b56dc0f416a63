import { Button, Collapse, Text } from '@mantine/core';
import { useId, useState } from 'react';
import type { Finding } from '../../shared/domain/finding.ts';
import { type FindingGroup, groupFindings } from './finding-groups.ts';
import classes from './finding-list.module.css';
import { hexText, pluralText } from './format-text.ts';
import { VerdictBadge } from './verdict-badge.tsx';

const shownPerRule = 4;

/** Findings by rule, the worst first; what passed is folded away behind its count. */
export function FindingList({ findings }: { readonly findings: readonly Finding[] }) {
  const [open, setOpen] = useState(false);
  const passedId = useId();
  const groups = groupFindings(findings);
  const passed = groups.filter((group) => group.verdict === 'pass');
  const passedCount = passed.reduce((sum, group) => sum + group.findings.length, 0);
  return (
    <div className={classes.list}>
      {groups
        .filter((group) => group.verdict !== 'pass')
        .map((group) => (
          <RuleRow key={`${group.verdict} ${group.rule}`} group={group} />
        ))}
      {passedCount > 0 && (
        <>
          <Button
            className={classes.fold}
            variant="subtle"
            color="gray"
            size="compact-xs"
            aria-expanded={open}
            aria-controls={passedId}
            onClick={() => setOpen(!open)}
          >
            {open ? 'Hide' : 'Show'} {pluralText(passedCount, 'passed check')}
          </Button>
          <Collapse expanded={open} id={passedId}>
            <div className={classes.list}>
              {passed.map((group) => (
                <RuleRow key={group.rule} group={group} />
              ))}
            </div>
          </Collapse>
        </>
      )}
    </div>
  );
}

function RuleRow({ group }: { readonly group: FindingGroup }) {
  const [all, setAll] = useState(false);
  const shown = all ? group.findings : group.findings.slice(0, shownPerRule);
  const hidden = group.findings.length - shown.length;
  return (
    <div className={classes.rule} data-testid="finding">
      <div className={classes.verdict}>
        <VerdictBadge verdict={group.verdict} />
      </div>
      <div className={classes.words}>
        <div className={classes.title}>
          <Text fw={600}>{group.title}</Text>
          <Text size="xs" ff="monospace" c="dimmed">
            {group.rule}
          </Text>
          {group.waivable && (
            <Text size="xs" c="dimmed">
              can be waived
            </Text>
          )}
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
        {group.fix !== '' && (
          <Text>
            <b>Fix:</b> {group.fix}
          </Text>
        )}
      </div>
    </div>
  );
}

function Evidence({ evidence }: { readonly evidence: Finding['evidence'] }) {
  const facts = [
    ['Offset', evidence.offset === undefined ? undefined : hexText(evidence.offset)],
    ['Member', evidence.member],
    ['Expected', evidence.expected],
    ['Found', evidence.found],
  ] as const;
  if (facts.every(([, value]) => value === undefined)) return null;
  return (
    <dl className={classes.evidence}>
      {facts.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
