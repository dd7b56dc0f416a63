import { useState } from 'react';
import type { ReleaseSummary } from '../../../shared/contract/contract.ts';
import type { Component, Product } from '../../../shared/domain/product.ts';
import {
  defaultFileTypes,
  maxFileSizeBytes,
  maxFilesPerPackage,
} from '../../../shared/domain/limits.ts';
import { type BundleTarget, draftKey, useBundleDrafts } from '../../stores/bundle-drafts.ts';
import { useRelease, useRunningJob, useStudio } from '../../stores/studio.ts';
import { useComponent } from '../../stores/use-component.ts';
import type { PickedFile } from '../../rpc/client.ts';
import { ComponentSelect } from '../../widgets/component-select.tsx';
import { FormatDialog } from '../../widgets/format-form/format-dialog.tsx';
import { FileDrop } from '../../widgets/file-drop.tsx';
import { worstFilesFirst } from '../../widgets/finding-groups.ts';
import { JobStrip } from '../../widgets/job-strip.tsx';
import { NoRelease } from '../../widgets/no-release.tsx';
import { Section } from '../../widgets/section.tsx';
import { ViewHeader } from '../../widgets/view-header.tsx';
import classes from './bundle-view.module.css';
import { FileCard } from './file-card.tsx';
import { MemorySection } from './memory-section.tsx';
import { PackageCard } from './package-card.tsx';
import { VerdictPanel } from './verdict-panel.tsx';

const mebibyte = 1024 * 1024;

/** Adds files to a component of the release, shows what was found in them, makes the version package. */
export function BundleView() {
  const chosen = useRelease();
  const { component, choose } = useComponent(chosen?.product);
  if (!chosen || !component) return <NoRelease />;
  return (
    <>
      <ViewHeader
        title="Bundle"
        about={`${chosen.product.name} ${chosen.release.version}, ${component.name}`}
        actions={
          <ComponentSelect
            components={chosen.product.components}
            value={component.id}
            onChange={choose}
          />
        }
      />
      <BundleOf {...chosen} component={component} key={`${chosen.release.id}/${component.id}`} />
    </>
  );
}

function BundleOf(props: {
  readonly release: ReleaseSummary;
  readonly product: Product;
  readonly component: Component;
}) {
  const { release, product, component } = props;
  const target: BundleTarget = {
    releaseId: release.id,
    productId: product.id,
    componentId: component.id,
    version: release.version,
  };
  const draft = useBundleDrafts((state) => state.drafts[draftKey(target)]);
  const check = useBundleDrafts((state) => state.check);
  const act = useStudio((state) => state.act);
  const packages = useStudio((state) => state.packages);
  const userTypes = useStudio((state) => state.settings?.fileTypes);
  const job = useRunningJob('bundle.inspect', 'bundle.create');
  const own = packages.filter((pkg) => pkg.releaseId === release.id);
  const full = own.find((pkg) => pkg.componentId === component.id && pkg.packageType === 'full');
  const report = draft?.report ?? null;
  const files = draft?.files ?? [];

  const [described, setDescribed] = useState<PickedFile | null>(null);

  const recheck = (next: readonly PickedFile[]) => void act(() => check(target, next));
  const types = [...defaultFileTypes, ...(userTypes ?? [])].join(' ');

  return (
    <div className={classes.columns}>
      <div className={classes.main}>
        <FileDrop
          multiple
          wide
          outcome={`Add to the ${component.id} package of ${product.id} ${release.version}`}
          limits={`Up to ${maxFilesPerPackage} files, ${maxFileSizeBytes / mebibyte} MB each: ${types}`}
          pickTitle="Choose firmware files"
          disabled={job !== undefined}
          onFiles={(added) => recheck([...files, ...added])}
          testId="bundle-drop"
        />
        {job && <JobStrip job={job} />}
        {draft && !report && draft.soFar.length > 0 && (
          <div className={classes.cards} data-testid="first-findings">
            {draft.soFar.map(
              (file) =>
                file && (
                  <FileCard
                    key={file.index}
                    file={file}
                    target={target}
                    state={job === undefined ? 'stopped' : 'checking'}
                  />
                ),
            )}
          </div>
        )}
        {report && (
          <div className={classes.cards} data-testid="findings">
            {worstFilesFirst(report).map(({ file, index }) => (
              <FileCard
                key={files[index]?.handle ?? file.name}
                file={file}
                target={target}
                state="checked"
                onDescribe={() => setDescribed(files[index] ?? null)}
                onRemove={() => recheck(files.filter((_file, at) => at !== index))}
              />
            ))}
          </div>
        )}
        {described && (
          <FormatDialog
            file={described}
            onSaved={() => recheck(files)}
            onClose={() => setDescribed(null)}
          />
        )}
        <MemorySection component={component} draft={draft} packages={own} />
        <Section
          title={`Version packages of ${release.version}`}
          flush={own.length > 0}
          testId="packages-section"
        >
          {own.length === 0
            ? 'None yet: add files above, then make the version package.'
            : own.map((pkg) => <PackageCard key={pkg.id} pkg={pkg} />)}
        </Section>
      </div>
      <div className={classes.side}>
        <VerdictPanel
          target={target}
          draft={draft}
          existing={full}
          busy={job !== undefined}
          onRecheck={() => recheck(files)}
        />
      </div>
    </div>
  );
}
