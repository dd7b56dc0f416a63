import { Button, Group, Text } from '@mantine/core';
import { FileDiff, Package } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { ReleaseSummary } from '../../../shared/contract/contract.ts';
import type { DeltaMatrix } from '../../../shared/domain/delta-matrix.ts';
import type { Component, VersionPackage } from '../../../shared/domain/product.ts';
import { call } from '../../rpc/client.ts';
import { deltaSources } from '../../stores/release-line.ts';
import { useDiff } from '../../stores/diff.ts';
import { useRelease, useRunningJob, useStudio } from '../../stores/studio.ts';
import { useComponent } from '../../stores/use-component.ts';
import { ComponentSelect } from '../../widgets/component-select.tsx';
import layout from '../../widgets/columns.module.css';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { percentText } from '../../widgets/format-text.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { JobStrip } from '../../widgets/job-strip.tsx';
import { NoRelease } from '../../widgets/no-release.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { Bytes, ClippedText, Time } from '../../widgets/value-text.tsx';
import { ViewHeader } from '../../widgets/view-header.tsx';
import { type DeltaRow, deltaRows, otherDeltas, patchBytes } from './delta-rows.ts';
import { DiffView } from './diff/diff-view.tsx';
import { compareFiles } from './diff/pick-images.ts';
import classes from './delta-view.module.css';
import { FormatSelect, type FormatWish } from './format-select.tsx';
import { MatrixPanel } from './matrix-panel.tsx';
import { ProofPanel } from './proof-panel.tsx';
import { UnreleasedDeltas, VendorDeltaButton } from './vendor-delta.tsx';

const imageBytes = (pkg: VersionPackage): number =>
  pkg.files.reduce((sum, file) => sum + file.sizeBytes, 0);

/** Makes proven deltas, or shows the comparison of two images while one is open. */
export function DeltaView() {
  const diff = useDiff((state) => state.open);
  return diff ? <DiffView diff={diff} /> : <Deltas />;
}

/** Makes proven deltas from earlier versions of a component to the release's version. */
function Deltas() {
  const chosen = useRelease();
  const { component, choose } = useComponent(chosen?.product);
  if (!chosen || !component)
    return (
      <>
        <ViewHeader title="Delta" actions={<CompareFiles />} />
        <NoRelease />
      </>
    );
  return (
    <>
      <ViewHeader
        title="Delta"
        about={`To ${chosen.product.name} ${chosen.release.version}, ${component.name}`}
        actions={
          <>
            <CompareFiles />
            <ComponentSelect
              components={chosen.product.components}
              value={component.id}
              onChange={choose}
            />
          </>
        }
      />
      <DeltasTo
        release={chosen.release}
        component={component}
        key={`${chosen.release.id}/${component.id}`}
      />
    </>
  );
}

/** Compares any two files, of the release or not. */
function CompareFiles() {
  const act = useStudio((state) => state.act);
  return (
    <Button variant="default" onClick={() => void act(compareFiles)} data-testid="compare-files">
      Compare files
    </Button>
  );
}

function DeltasTo(props: { readonly release: ReleaseSummary; readonly component: Component }) {
  const { release, component } = props;
  const { packages, act, refresh, openView } = useStudio();
  const making = useRunningJob('delta.create');
  const measuring = useRunningJob('delta.matrix');
  const comparing = useRunningJob('delta.diff');
  const compareImages = useDiff((state) => state.compare);
  const job = making ?? measuring ?? comparing;
  const [wish, setWish] = useState<FormatWish>(null);
  const [matrix, setMatrix] = useState<DeltaMatrix | null>(null);
  const [selectedId, setSelectedId] = useState<string | null>(null);
  const target = packages.find(
    (pkg) =>
      pkg.releaseId === release.id &&
      pkg.componentId === component.id &&
      pkg.packageType === 'full',
  );
  const rows = useMemo(
    () =>
      target ? deltaRows(target, deltaSources(release, packages, component.id), packages) : [],
    [target, release, packages, component.id],
  );
  if (!target) {
    return (
      <EmptyState
        icon={Package}
        sentence={`A delta leads to a full package: ${component.id} ${release.version} has none yet.`}
        action={<Button onClick={() => openView('bundle')}>Go to the bundle</Button>}
      />
    );
  }

  const make = (sources: readonly VersionPackage[]) =>
    void act(async () => {
      for (const source of sources) {
        setSelectedId(source.id);
        await call('delta.create', {
          sourcePackageId: source.id,
          targetPackageId: target.id,
          ...(wish && { format: wish.format }),
          ...(wish?.compression && { compression: wish.compression }),
        });
        await refresh();
      }
    });
  const measure = () =>
    void act(async () => {
      const input = { releaseId: release.id, componentId: component.id };
      setMatrix(await call('delta.matrix', input));
    });
  const compare = ({ source, delta }: DeltaRow) =>
    void act(() =>
      compareImages({
        order: { old: { packageId: source.id }, new: { packageId: target.id } },
        names: {
          old: `${component.id} ${source.targetVersion}`,
          new: `${component.id} ${target.targetVersion}`,
        },
        // A vendor's own delta tells nothing of its operations.
        deltaPackageId: delta?.deltaProof ? delta.id : null,
      }),
    );
  const missing = rows.filter((row) => row.delta === null).map((row) => row.source);
  const selected = rows.find((row) => row.source.id === selectedId) ?? rows[0];
  const columns: readonly GridColumn<DeltaRow>[] = [
    ...recordColumns,
    {
      id: 'action',
      title: 'Action',
      widthPx: 186,
      render: (row) => (
        <Group gap={6} wrap="nowrap">
          <Button
            size="compact-xs"
            variant="default"
            disabled={job !== undefined}
            aria-label={`Compare with ${row.source.targetVersion}`}
            onClick={() => compare(row)}
            data-testid="delta-compare"
          >
            Compare
          </Button>
          {row.delta === null && (
            <Button
              size="compact-xs"
              variant="light"
              disabled={job !== undefined}
              aria-label={`Make delta from ${row.source.targetVersion}`}
              onClick={() => make([row.source])}
              data-testid="delta-make"
            >
              Make delta
            </Button>
          )}
        </Group>
      ),
    },
  ];

  return (
    <div className={layout.mainAndSide}>
      <div className={layout.column}>
        <Text className={classes.target} component="div">
          <FileDiff size={16} aria-hidden />
          <b>
            Target {component.id} {target.targetVersion}
          </b>
          <Bytes value={imageBytes(target)} />
          <span>
            SHA-256 <HashText hash={target.files[0]?.sha256 ?? target.sha256} />
          </span>
          <VendorDeltaButton target={target} sourceVersion={selected?.source.targetVersion} />
        </Text>
        {job && <JobStrip job={job} />}
        <Section
          title="Source versions"
          flush
          fill
          actions={
            <Group gap="xs">
              <FormatSelect limits={component.delta} value={wish} onChange={setWish} />
              <Button
                variant="default"
                disabled={job !== undefined || rows.length === 0}
                onClick={measure}
                data-testid="delta-measure"
              >
                Measure formats
              </Button>
              {missing.length > 1 && (
                <Button
                  variant="default"
                  disabled={job !== undefined}
                  onClick={() => make(missing)}
                  data-testid="delta-make-all"
                >
                  Make all {missing.length} missing
                </Button>
              )}
            </Group>
          }
        >
          <DataGrid
            label="Source versions"
            columns={columns}
            rowCount={rows.length}
            getRow={(index) => rows[index]}
            rowKey={(row) => row.source.id}
            isSelected={(row) => row === selected}
            onSelect={(row) => setSelectedId(row.source.id)}
            empty={
              <EmptyState
                icon={FileDiff}
                sentence={`No other release has a full ${component.id} package to start from: devices of this release get the full image.`}
                action={<Button onClick={() => openView('releases')}>Go to releases</Button>}
              />
            }
            testId="delta-grid"
          />
        </Section>
        <UnreleasedDeltas
          deltas={otherDeltas(
            target,
            rows.map((row) => row.source),
            packages,
          )}
        />
        {matrix && <MatrixPanel matrix={matrix} sourceVersion={selected?.source.targetVersion} />}
      </div>
      <div className={layout.column}>
        <ProofPanel row={selected} />
      </div>
    </div>
  );
}

const recordColumns: readonly GridColumn<DeltaRow>[] = [
  {
    id: 'version',
    title: 'From version',
    minWidthPx: 110,
    render: ({ source }) => <ClippedText text={source.targetVersion} />,
  },
  {
    id: 'made',
    title: 'Bundled',
    widthPx: 140,
    render: ({ source }) => <Time at={source.createdAt} />,
  },
  {
    id: 'size',
    title: 'Full size',
    widthPx: 90,
    align: 'right',
    render: ({ source }) => <Bytes value={imageBytes(source)} />,
  },
  {
    id: 'state',
    title: 'Delta',
    widthPx: 136,
    render: ({ delta }) =>
      delta === null ? (
        <ToneBadge tone="neutral" word="Not made" />
      ) : delta.deltaProof ? (
        <ToneBadge tone="good" word="Proven" />
      ) : (
        <ToneBadge tone="unknown" word="Not checked" />
      ),
  },
  {
    id: 'patch',
    title: 'Patch',
    widthPx: 84,
    align: 'right',
    render: ({ delta }) => (delta === null ? '' : <Bytes value={patchBytes(delta)} />),
  },
  {
    id: 'ratio',
    title: 'Of full',
    hint: 'Patch size as a share of the full image',
    widthPx: 74,
    align: 'right',
    render: ({ ratio }) => (ratio === null ? '' : percentText(ratio)),
  },
];
