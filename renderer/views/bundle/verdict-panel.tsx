import { Button, Stack, Text } from '@mantine/core';
import { RefreshCw } from 'lucide-react';
import { useState } from 'react';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { call } from '../../rpc/client.ts';
import {
  type BundleDraft,
  type BundleTarget,
  useBundleDrafts,
} from '../../stores/bundle-drafts.ts';
import { useStudio } from '../../stores/studio.ts';
import { type FindingCounts, reportCounts, reportSentence } from '../../widgets/finding-groups.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { SaveReport } from '../../widgets/save-report.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { Bytes } from '../../widgets/value-text.tsx';
import { VerdictBadge } from '../../widgets/verdict-badge.tsx';

/** The verdict about the picked files together, and the button that makes the version package. */
export function VerdictPanel(props: {
  readonly target: BundleTarget;
  readonly draft: BundleDraft | undefined;
  /** The full package that the component has already. */
  readonly existing: VersionPackage | undefined;
  readonly busy: boolean;
  readonly onRecheck: () => void;
}) {
  const { target, draft, existing, busy } = props;
  const { act, refresh } = useStudio();
  const discard = useBundleDrafts((state) => state.discard);
  const [made, setMade] = useState<VersionPackage | null>(null);
  const report = draft?.report ?? null;

  const create = () =>
    void act(async () => {
      if (!draft) return;
      const pkg = await call('bundle.create', {
        releaseId: target.releaseId,
        componentId: target.componentId,
        files: draft.files.map((file) => file.handle),
      });
      await refresh();
      discard(target);
      setMade(pkg);
    });

  return (
    <Section
      title="Verdict"
      actions={<DraftBadge draft={draft} busy={busy} />}
      testId="verdict-panel"
    >
      <Stack gap="sm">
        <Text role="status">{sentence(draft, made ?? existing, busy)}</Text>
        {report && (
          <FactList
            facts={[
              ['Files', String(report.files.length)],
              [
                'Size',
                <Bytes
                  key="size"
                  value={report.files.reduce((sum, file) => sum + file.sizeBytes, 0)}
                />,
              ],
              ...countFacts(reportCounts(report)),
            ]}
          />
        )}
        <Button
          fullWidth
          disabled={!report || report.verdict === 'block' || busy}
          onClick={create}
          data-testid="bundle-create"
        >
          Create version package
        </Button>
        {draft && (
          <Button
            fullWidth
            variant="default"
            leftSection={<RefreshCw size={14} aria-hidden />}
            disabled={busy}
            onClick={props.onRecheck}
          >
            Check the files again
          </Button>
        )}
        {report && (
          <SaveReport
            fullWidth
            source={{
              report,
              title: `${target.productId} ${target.componentId} ${target.version}`,
            }}
            fileName={`${target.productId}-${target.componentId}-${target.version}-validation`}
          />
        )}
      </Stack>
    </Section>
  );
}

const countFacts = (counts: FindingCounts): readonly (readonly [string, string])[] => [
  ['Blocking', String(counts.block)],
  ['Warnings', String(counts.warn)],
  ['Not checked', String(counts['could-not-check'])],
  ['Waived', String(counts.waived)],
  ['Passed', String(counts.pass)],
];

function DraftBadge(props: { readonly draft: BundleDraft | undefined; readonly busy: boolean }) {
  if (props.draft?.report) return <VerdictBadge verdict={props.draft.report.verdict} />;
  return props.busy ? <ToneBadge tone="busy" word="Working" /> : null;
}

function sentence(
  draft: BundleDraft | undefined,
  pkg: VersionPackage | undefined,
  busy: boolean,
): string {
  if (draft?.report) return reportSentence(draft.report);
  if (draft && busy) return 'The files are being checked.';
  if (draft) return 'The files have not been checked to the end.';
  if (pkg)
    return `${pkg.componentId} ${pkg.targetVersion} has its version package. Versions are immutable: other bytes need a new release.`;
  return 'Add files to have them checked.';
}
