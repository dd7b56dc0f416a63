import { Stack, Text } from '@mantine/core';
import { ShieldQuestion } from 'lucide-react';
import type { ReactNode } from 'react';
import type { DeviceCost } from '../../../shared/domain/delta.ts';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { FactList } from '../../widgets/fact-list.tsx';
import { countText, durationText, percentText } from '../../widgets/format-text.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { Bytes, Time } from '../../widgets/value-text.tsx';
import { type DeltaRow, formatWord } from './delta-rows.ts';

/** What the device needs; deltas that were made before it was counted have no cost. */
function costFacts(cost: DeviceCost | undefined): readonly (readonly [string, ReactNode])[] {
  if (!cost) return [];
  return [
    ['RAM of the decoder', <Bytes key="ram" value={cost.ramBytes} />],
    ['Flash', <Bytes key="flash" value={cost.flashBytes} />],
    ...(cost.airSeconds === null
      ? []
      : [['Over the air', durationText(cost.airSeconds * 1000)] as const]),
    ...(cost.erases === null ? [] : [['Erased segments', countText(cost.erases)] as const]),
  ];
}

/** The proof of the chosen delta: what was applied to what, and what came out. */
export function ProofPanel({ row }: { readonly row: DeltaRow | undefined }) {
  const delta = row?.delta;
  const proof = delta?.deltaProof;
  if (!delta || !proof) {
    return (
      <Section title="Proof">
        <EmptyState
          icon={ShieldQuestion}
          sentence="A delta is recorded only after applying it to the source gave the target's SHA-256; the proof is shown here."
        />
      </Section>
    );
  }
  return (
    <Section
      title={`Proof: ${delta.sourceVersion} to ${delta.targetVersion}`}
      actions={<ToneBadge tone="good" word="Proven" />}
      testId="delta-proof"
    >
      <Stack gap="sm">
        <Text>
          Applied to {delta.sourceVersion}, the patch gave the SHA-256 of {delta.targetVersion}.
        </Text>
        <FactList
          facts={[
            ['Format', formatWord(proof.format, proof.compression)],
            ['Patch', <Bytes key="patch" value={proof.patchSizeBytes} />],
            ['Full image', <Bytes key="full" value={proof.targetSizeBytes} />],
            ['Patch of full', row.ratio === null ? 'unknown' : percentText(row.ratio)],
            ['Source SHA-256', <HashText key="source" hash={proof.sourceSha256} />],
            ['Target SHA-256', <HashText key="target" hash={proof.targetSha256} />],
            ['Patch SHA-256', <HashText key="patchHash" hash={proof.patchSha256} />],
            ...costFacts(proof.cost),
            ['Time taken', durationText(proof.elapsedMs)],
            ['Peak memory, whole process', <Bytes key="memory" value={proof.peakRssBytes} />],
            ['Made', <Time key="made" at={delta.createdAt} />],
          ]}
        />
      </Stack>
    </Section>
  );
}
