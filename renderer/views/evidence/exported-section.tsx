import { Button, Text } from '@mantine/core';
import { type ExportedEvidence, useEvidence } from '../../stores/evidence.ts';
import { useStudio } from '../../stores/studio.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { pathWithin } from '../../widgets/format-text.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { Section } from '../../widgets/section.tsx';
import { ClippedText, Time } from '../../widgets/value-text.tsx';
import classes from './evidence-view.module.css';

const columns: readonly GridColumn<ExportedEvidence>[] = [
  {
    id: 'path',
    title: 'File',
    minWidthPx: 84,
    render: (one) => <EvidencePath evidence={one} />,
  },
  { id: 'time', title: 'Exported', widthPx: 146, render: (one) => <Time at={one.exportedAt} /> },
  {
    id: 'hash',
    title: 'SHA-256',
    widthPx: 136,
    render: ({ sha256 }) => <HashText hash={sha256} />,
  },
  {
    id: 'verify',
    title: 'Check',
    widthPx: 84,
    render: (one) => <VerifyButton evidence={one} />,
  },
];

function EvidencePath({ evidence: { path } }: { readonly evidence: ExportedEvidence }) {
  const folder = useStudio((state) => state.info?.workspace.path ?? '');
  return <ClippedText text={pathWithin(path, folder)} />;
}

/** The evidence files that were written from this workspace, newest first. */
export function ExportedSection() {
  const exported = useStudio((state) => state.evidence);
  const isReady = useStudio((state) => state.ready);
  return (
    <Section title="Exported files" flush testId="exported">
      <div className={classes.exported}>
        {!isReady ? (
          <LoadingLines label="Reading the list of files" lines={3} />
        ) : (
          <DataGrid
            label="Exported evidence files"
            columns={columns}
            rowCount={exported.length}
            getRow={(index) => exported[index]}
            rowKey={(one) => one.path}
            empty={<Text c="dimmed">Nothing was exported from this workspace yet.</Text>}
          />
        )}
      </div>
    </Section>
  );
}

function VerifyButton({ evidence }: { readonly evidence: ExportedEvidence }) {
  const verify = useEvidence((state) => state.verifyExported);
  return (
    <Button
      size="compact-xs"
      variant="default"
      aria-label={`Verify ${evidence.path}`}
      onClick={() => void verify(evidence)}
      data-testid="verify-exported"
    >
      Verify
    </Button>
  );
}
