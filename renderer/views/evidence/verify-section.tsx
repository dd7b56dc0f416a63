import { Stack, Text } from '@mantine/core';
import type { EvidenceReport } from '../../../shared/domain/evidence.ts';
import { useEvidence } from '../../stores/evidence.ts';
import { useStudio } from '../../stores/studio.ts';
import { FileDrop } from '../../widgets/file-drop.tsx';
import { pathWithin } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { ReasonLine } from '../../widgets/reason-line.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';

const checkTitles: Readonly<Record<string, string>> = {
  form: 'Form',
  bytes: 'Every byte',
  digest: 'Digest of the content',
  recordings: 'Serial recordings',
  'bench-images': 'Bench runs and images',
  'delta-proofs': 'Delta proofs',
  'plan-packages': 'Packages of the plans',
  gates: 'Gates of the plans',
  'gate-records': 'Gates against the records',
  'rollout-counts': 'Counts of the rollouts',
  signatures: 'Signatures',
};

/** Checks any evidence file and shows each check with why it passed or not. */
export function VerifySection() {
  const { verified, isVerifying, verifyFile } = useEvidence();
  const report = verified && 'report' in verified.outcome ? verified.outcome.report : null;
  return (
    <Section
      title="Verify a file"
      fill
      testId="verify"
      actions={
        report && (
          <ToneBadge
            tone={report.verdict === 'pass' ? 'good' : 'bad'}
            word={report.verdict === 'pass' ? 'Intact' : 'Damaged or edited'}
          />
        )
      }
    >
      <Stack gap="sm">
        <FileDrop
          outcome="Verify an evidence file"
          limits="From this workspace or from anyone else; nothing is imported"
          multiple={false}
          pickTitle="Choose an evidence file"
          pickLabel="Choose…"
          disabled={isVerifying}
          onFiles={([file]) => {
            if (file) void verifyFile(file);
          }}
          testId="evidence-file"
        />
        {isVerifying && <LoadingLines label="Verifying" />}
        {verified && 'problem' in verified.outcome && (
          <ProblemAlert problem={verified.outcome.problem} />
        )}
        {verified && report && <Report name={verified.name} report={report} />}
      </Stack>
    </Section>
  );
}

function Report(props: { readonly name: string; readonly report: EvidenceReport }) {
  const folder = useStudio((state) => state.info?.workspace.path ?? '');
  return (
    <Stack gap="xs" role="status" data-testid="verify-report">
      <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        {pathWithin(props.name, folder)}
      </Text>
      {props.report.checks.map(({ id, passed, why }) => (
        <div key={id} data-check={id} data-passed={passed}>
          <ReasonLine
            tone={!passed ? 'bad' : id === 'signatures' ? 'warn' : 'good'}
            title={checkTitle(id, passed)}
            why={why}
          />
        </div>
      ))}
    </Stack>
  );
}

function checkTitle(id: string, passed: boolean): string {
  const title = checkTitles[id] ?? id;
  // Nothing is signed yet, so there is nothing that could pass.
  return id === 'signatures' ? title : `${title}: ${passed ? 'passed' : 'failed'}`;
}
