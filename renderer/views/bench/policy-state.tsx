import { Group, Stack, Text } from '@mantine/core';
import { boardIdOf, type RevisionCount, runLines } from '../../../shared/domain/bench-policy.ts';
import { DetailLines } from '../../widgets/detail-lines.tsx';
import { ToneIcon } from '../../widgets/tone-badge.tsx';
import type { BenchPolicyState } from './bench-policy.ts';

/** What the product's policy still asks for the chosen image: for each revision where it names some, and run by run. */
export function PolicyState({ state }: { readonly state: BenchPolicyState }) {
  const { judged } = state;
  return (
    <Stack gap={4} data-testid="bench-policy">
      <Line isMet={state.isMet} text={`${state.text}.`} />
      {judged && (
        <Stack gap={2} pl="md">
          {judged.revisions.map((count) => (
            <Line key={count.revision} isMet={count.isMet} text={revisionText(count)} />
          ))}
        </Stack>
      )}
      {judged && judged.runs.length > 0 && (
        <DetailLines
          summary="Which runs count"
          lines={runLines(judged.runs)}
          testId="policy-runs"
        />
      )}
    </Stack>
  );
}

function Line({ isMet, text }: { readonly isMet: boolean; readonly text: string }) {
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <ToneIcon tone={isMet ? 'good' : 'warn'} />
      <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
        {text}
      </Text>
    </Group>
  );
}

function revisionText({ revision, required, counted }: RevisionCount): string {
  const names = counted.map((run) => run.board?.nickname ?? boardIdOf(run) ?? '');
  const boards = `${counted.length} of ${required} ${required === 1 ? 'board' : 'boards'}`;
  const place = revision === null ? 'Boards' : `Revision ${revision}`;
  return `${place}: ${boards}${names.length > 0 ? ` (${names.join(', ')})` : ''}`;
}
