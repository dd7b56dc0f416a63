import { Button, Collapse, Group, Text } from '@mantine/core';
import { ChevronRight, ShieldCheck } from 'lucide-react';
import { useId, useState } from 'react';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { typeWords } from '../../widgets/component-select.tsx';
import { FactList } from '../../widgets/fact-list.tsx';
import { HashText } from '../../widgets/hash-text.tsx';
import { SaveReport } from '../../widgets/save-report.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { Bytes, ClippedText, Time } from '../../widgets/value-text.tsx';
import { VerdictBadge } from '../../widgets/verdict-badge.tsx';
import { FileFindings } from './file-findings.tsx';
import classes from './package-card.module.css';

/** A version package of the release: its manifest and findings, and whether its bytes are still right. */
export function PackageCard({ pkg }: { readonly pkg: VersionPackage }) {
  const [open, setOpen] = useState(false);
  const [intact, setIntact] = useState<boolean | null>(null);
  const act = useStudio((state) => state.act);
  const detailsId = useId();
  const type = pkg.packageType === 'full' ? 'Full' : `Delta from ${pkg.sourceVersion}`;
  const verify = () =>
    void act(async () => {
      setIntact((await call('bundle.verify', { packageId: pkg.id })).intact);
    });

  return (
    <article className={classes.card} aria-label={`${type}, ${pkg.componentId}`}>
      <div className={classes.head}>
        <Button
          className={classes.open}
          variant="subtle"
          color="gray"
          aria-expanded={open}
          aria-controls={detailsId}
          leftSection={<ChevronRight size={15} aria-hidden data-open={open || undefined} />}
          onClick={() => setOpen(!open)}
          data-testid="package-card"
        >
          {type}, {pkg.componentId} {pkg.targetVersion}
        </Button>
        <VerdictBadge verdict={pkg.report.verdict} />
        <Text component="span">
          <Bytes value={pkg.sizeBytes} />
        </Text>
        <HashText hash={pkg.sha256} />
        <Group gap="xs" ml="auto" wrap="nowrap">
          {intact !== null && (
            <span role="status">
              <ToneBadge
                tone={intact ? 'good' : 'bad'}
                word={intact ? 'Intact' : 'Bytes changed'}
              />
            </span>
          )}
          <SaveReport
            compact
            source={{ packageId: pkg.id }}
            fileName={`${pkg.productId}-${pkg.componentId}-${pkg.targetVersion}-validation`}
          />
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<ShieldCheck size={13} aria-hidden />}
            onClick={verify}
          >
            Verify
          </Button>
        </Group>
      </div>
      <Collapse expanded={open} id={detailsId} keepMounted={false}>
        <div className={classes.details}>
          <FactList
            facts={[
              ['Name', pkg.name],
              ['Product', pkg.productId],
              ['Component', `${pkg.componentId} (${typeWords[pkg.componentType]})`],
              ['Source version', pkg.sourceVersion ?? 'any'],
              ['Target version', pkg.targetVersion],
              ['Archive', <HashText key="archive" hash={pkg.sha256} />],
              ['Made', <Time key="made" at={pkg.createdAt} />],
            ]}
          />
          <table className={classes.files}>
            <thead>
              <tr>
                <th>File</th>
                <th>Role</th>
                <th>Format</th>
                <th>Size</th>
                <th>SHA-256</th>
              </tr>
            </thead>
            <tbody>
              {pkg.files.map((file) => (
                <tr key={file.name}>
                  <td>
                    <ClippedText text={file.name} />
                  </td>
                  <td>{file.role}</td>
                  <td>{file.format}</td>
                  <td>
                    <Bytes value={file.sizeBytes} />
                  </td>
                  <td>
                    <HashText hash={file.sha256} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {pkg.report.files.map((file) => (
            <div role="group" key={file.name} aria-label={`Findings of ${file.name}`}>
              {pkg.report.files.length > 1 && <Text fw={600}>{file.name}</Text>}
              <FileFindings file={file} productId={pkg.productId} version={pkg.targetVersion} />
            </div>
          ))}
        </div>
      </Collapse>
    </article>
  );
}
