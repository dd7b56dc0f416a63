import { Button } from '@mantine/core';
import { FileOutput } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { useEvidence } from '../../stores/evidence.ts';
import { useRelease, useStudio } from '../../stores/studio.ts';
import layout from '../../widgets/columns.module.css';
import { NoRelease } from '../../widgets/no-release.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { ViewHeader } from '../../widgets/view-header.tsx';
import { ExportedSection } from './exported-section.tsx';
import { recordPartsOf } from './record-parts.ts';
import { RecordSection } from './record-section.tsx';
import { VerifySection } from './verify-section.tsx';

/** Evidence: what the record of the release holds, the files written so far, and checking any of them. */
export function EvidenceView() {
  const chosen = useRelease();
  const packages = useStudio((state) => state.packages);
  const { records, problem, isExporting, load, export: exportRecord } = useEvidence();
  const releaseId = chosen?.release.id;
  useEffect(() => {
    if (releaseId !== undefined) void load(releaseId);
  }, [load, releaseId]);
  const parts = useMemo(
    () =>
      releaseId !== undefined && records
        ? recordPartsOf(releaseId, packages, records.runs, records.plans)
        : null,
    [releaseId, packages, records],
  );

  if (!chosen) return <NoRelease />;
  const { release, product } = chosen;
  const hasPackages = parts !== null && parts.packages.length > 0;
  return (
    <>
      <ViewHeader
        title="Evidence"
        about={`${product.name} ${release.version}`}
        actions={
          <Button
            leftSection={<FileOutput size={14} aria-hidden />}
            disabled={!hasPackages}
            loading={isExporting}
            title={hasPackages ? undefined : 'The release has no version package yet'}
            onClick={() => void exportRecord(release.id)}
            data-testid="evidence-export"
          >
            Export the record
          </Button>
        }
      />
      {problem && <ProblemAlert problem={problem} />}
      <div className={layout.halves}>
        <RecordSection parts={parts} version={release.version} />
        <div className={layout.column}>
          <ExportedSection />
          <VerifySection />
        </div>
      </div>
    </>
  );
}
