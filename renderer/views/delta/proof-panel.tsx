import { Stack, Text } from '@mantine/core';
import { ShieldQuestion } from 'lucide-react';
import type { ReactNode } from 'react';
import type { DeviceCost } from '../../../shared/domain/delta.ts';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { FactList } from '../../widgets/fact-list.tsx';
import { countText, durationText, percentText } from '../../widgets/format-text.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { Bytes, Time } from '../../widgets/value-text.tsx';
import { type DeltaRow, formatWord, patchBytes } from './delta-rows.ts';

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

/** A vendor's own delta, and what could not be checked of it. */
function VendorPanel(props: { readonly delta: VersionPackage; readonly ratio: number | null }) {
  const { delta, ratio } = props;
  const [file] = delta.files;
  const doubt = delta.report.files
    .flatMap(({ findings }) => findings)
    .find(({ rule }) => rule === 'delta.foreign');
  return (
    <Section
      title={`Vendor: ${delta.sourceVersion} to ${delta.targetVersion}`}
      actions={<ToneBadge tone="unknown" word="Not checked" />}
      testId="delta-vendor-panel"
    >
      <Stack gap="sm">
        <Text style={{ overflowWrap: 'anywhere' }}>{doubt?.detail}</Text>
        <Text>{doubt?.fix}</Text>
        <FactList
          facts={[
            ['Files', delta.files.map(({ name }) => name).join(', ')],
            ['Patch', <Bytes key="patch" value={patchBytes(delta)} />],
            ['Patch of full', ratio === null ? 'unknown' : percentText(ratio)],
            ...(file ? [['SHA-256', <HashText key="hash" hash={file.sha256} />] as const] : []),
            ['Recorded', <Time key="made" at={delta.createdAt} />],
          ]}
        />
      </Stack>
    </Section>
  );
}

/** The proof of the chosen delta: what was applied to what, and what came out. */
export function ProofPanel({ row }: { readonly row: DeltaRow | undefined }) {
  const delta = row?.delta;
  const proof = delta?.deltaProof;
  if (delta && !proof) return <VendorPanel delta={delta} ratio={row.ratio} />;
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
            ...(proof.proofRamBytes === undefined
              ? []
              : [
                  [
                    'RAM of the proof',
                    <Bytes key="proofRam" value={proof.proofRamBytes} />,
                  ] as const,
                ]),
            ...(proof.powerLosses
              ? [['Losses of power', `${countText(proof.powerLosses)}, each went on`] as const]
              : []),
            ['Time taken', durationText(proof.elapsedMs)],
            ['Peak memory, whole process', <Bytes key="memory" value={proof.peakRssBytes} />],
            ['Made', <Time key="made" at={delta.createdAt} />],
          ]}
        />
      </Stack>
    </Section>
  );
}
