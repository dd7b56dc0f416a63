import { Button, Collapse, Text } from '@mantine/core';
import { useId, useState } from 'react';
import type { Finding, Verdict } from '../../shared/domain/finding.ts';
import { bySeverity } from '../../shared/domain/verdict.ts';
import type { RuleLayer } from '../../shared/messages/bundle-rules.ts';
import {
  countsText,
  type FindingGroup,
  type LayerFindings,
  layerFindings,
} from './finding-groups.ts';
import classes from './finding-list.module.css';
import { pluralText } from './format-text.ts';
import { RuleRow, type WaiveActions } from './rule-row.tsx';
import { type Tone, ToneIcon } from './tone-badge.tsx';
import { verdictTones } from './verdict-badge.tsx';

const layerWords: Readonly<Record<RuleLayer, string>> = {
  container: 'Container',
  image: 'Image',
  identity: 'Identity',
  hygiene: 'Hygiene',
};

/** Findings under the layers of validation, the worst first; what passed is folded away behind its count. */
export function FindingList(props: {
  readonly findings: readonly Finding[];
  /** What a person can do about a waivable finding; without it waivers are only shown. */
  readonly actions?: WaiveActions;
}) {
  const { findings, actions } = props;
  const [open, setOpen] = useState(false);
  const passedId = useId();
  const layers = layerFindings(findings);
  const passedCount = layers
    .flatMap(({ groups }) => groups.filter((group) => !isTold(group)))
    .reduce((sum, group) => sum + group.findings.length, 0);
  const worstFirst = layers
    .filter(({ groups }) => groups.some(isTold))
    .toSorted((a, b) => bySeverity(a.verdict ?? 'pass', b.verdict ?? 'pass'));
  return (
    <div className={classes.list}>
      <LayerSummary layers={layers} />
      {worstFirst.map(({ layer, groups }) => (
        <LayerRows key={layer} layer={layer} groups={groups.filter(isTold)} actions={actions} />
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
            {layers.map(({ layer, groups }) => (
              <LayerRows
                key={layer}
                layer={layer}
                groups={groups.filter((group) => !isTold(group))}
                actions={undefined}
              />
            ))}
          </Collapse>
        </>
      )}
    </div>
  );
}

/** Whether a rule is told openly: only what is in order by itself is folded away. */
const isTold = ({ verdict, policy }: FindingGroup): boolean =>
  verdict !== 'pass' || policy?.set === 'allow';

/** A layer that passes only because somebody waived something does not look like one that passed. */
function layerTone(verdict: Verdict | null, waived: number): Tone {
  if (verdict === null) return 'neutral';
  return verdict === 'pass' && waived > 0 ? 'info' : verdictTones[verdict];
}

function LayerSummary({ layers }: { readonly layers: readonly LayerFindings[] }) {
  return (
    <ul className={classes.layers} aria-label="Layers of validation">
      {layers.map(({ layer, verdict, counts }) => (
        <li key={layer}>
          <ToneIcon tone={layerTone(verdict, counts.waived)} size={14} />
          <span className={classes.layerName}>{layerWords[layer]}</span>
          <span>{verdict === null ? 'nothing to tell' : countsText(counts)}</span>
        </li>
      ))}
    </ul>
  );
}

function LayerRows(props: {
  readonly layer: RuleLayer;
  readonly groups: readonly FindingGroup[];
  readonly actions: WaiveActions | undefined;
}) {
  const { layer, groups, actions } = props;
  const titleId = useId();
  if (groups.length === 0) return null;
  return (
    <div role="group" aria-labelledby={titleId}>
      <Text size="xs" fw={600} c="dimmed" id={titleId} className={classes.layerTitle}>
        {layerWords[layer]}
      </Text>
      {groups.map((group) => (
        <RuleRow
          key={`${group.verdict} ${group.rule} ${group.waived?.waiverId}`}
          group={group}
          {...(actions ? { actions } : {})}
        />
      ))}
    </div>
  );
}
