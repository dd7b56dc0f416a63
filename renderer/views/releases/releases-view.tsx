import { Button, Popover, Select } from '@mantine/core';
import { Layers, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { ReleaseSummary } from '../../../shared/contract/contract.ts';
import { nextStep, releaseLine } from '../../stores/release-line.ts';
import { useStudio } from '../../stores/studio.ts';
import layout from '../../widgets/columns.module.css';
import { DataGrid, type GridColumn, type GridSort } from '../../widgets/data-grid.tsx';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { pluralText } from '../../widgets/format-text.ts';
import { Section } from '../../widgets/section.tsx';
import { nextSort, sortRows } from '../../widgets/sort-rows.ts';
import { StageBadge } from '../../widgets/stage-badge.tsx';
import { ClippedText, Time } from '../../widgets/value-text.tsx';
import { VerdictBadge } from '../../widgets/verdict-badge.tsx';
import { ViewHeader } from '../../widgets/view-header.tsx';
import { NewReleaseForm } from './new-release-form.tsx';
import { ReleaseLinePanel } from './release-line-panel.tsx';

const columns: readonly GridColumn<ReleaseSummary>[] = [
  {
    id: 'product',
    title: 'Product',
    minWidthPx: 110,
    sortable: true,
    render: (release) => <ClippedText text={release.productId} />,
  },
  {
    id: 'version',
    title: 'Version',
    widthPx: 92,
    sortable: true,
    render: (release) => <ClippedText text={release.version} />,
  },
  {
    id: 'stage',
    title: 'Stage',
    widthPx: 122,
    sortable: true,
    render: (release) => <StageBadge stage={release.stage} />,
  },
  {
    id: 'verdict',
    title: 'Findings',
    hint: 'Worst verdict of all version packages',
    widthPx: 112,
    sortable: true,
    render: (release) => <VerdictBadge verdict={release.verdict} />,
  },
  {
    id: 'full',
    title: 'Full',
    hint: 'Full version packages',
    widthPx: 50,
    align: 'right',
    render: (release) => release.packageCount - release.deltaCount,
  },
  {
    id: 'delta',
    title: 'Delta',
    hint: 'Proven delta version packages',
    widthPx: 58,
    align: 'right',
    render: (release) => release.deltaCount,
  },
  {
    id: 'bench',
    title: 'Bench',
    hint: 'Passed bench runs',
    widthPx: 64,
    align: 'right',
    render: (release) => release.benchPassed,
  },
  {
    id: 'plans',
    title: 'Plans',
    hint: 'Upgrade plans',
    widthPx: 60,
    align: 'right',
    render: (release) => release.planCount,
  },
  {
    id: 'created',
    title: 'Created',
    widthPx: 142,
    sortable: true,
    render: (release) => <Time at={release.createdAt} />,
  },
];

const stageOrder = ['draft', 'validated', 'benchTested', 'rollingOut', 'halted', 'done'];
const sortValue = (release: ReleaseSummary, columnId: string): string | number | null => {
  if (columnId === 'version') return release.version;
  if (columnId === 'product') return release.productId;
  if (columnId === 'stage') return stageOrder.indexOf(release.stage);
  if (columnId === 'verdict') return release.verdict;
  return Date.parse(release.createdAt);
};

/** Every release of the workspace, where the chosen one stands, and the form that makes one. */
export function ReleasesView() {
  const { products, releases, releaseId, packages, evidence, selectRelease, openView } =
    useStudio();
  const [productId, setProductId] = useState<string | null>(null);
  const [sort, setSort] = useState<GridSort>({ columnId: 'created', descending: true });
  const [creating, setCreating] = useState(false);
  const shown = useMemo(() => {
    const own = releases.filter((release) => productId === null || release.productId === productId);
    return sortRows(own, sort, sortValue);
  }, [releases, productId, sort]);

  const openNext = (release: ReleaseSummary) => {
    const product = products.find((candidate) => candidate.id === release.productId);
    if (!product) return;
    const evidenceExported = evidence.some((record) => record.releaseId === release.id);
    const step = nextStep(releaseLine({ release, product, packages, evidenceExported }));
    selectRelease(release.id);
    openView(step?.view ?? 'evidence');
  };

  return (
    <>
      <ViewHeader
        title="Releases"
        about={`${pluralText(releases.length, 'release')} of ${pluralText(products.length, 'product')}`}
        actions={
          <>
            {products.length > 1 && (
              <Select
                aria-label="Product"
                placeholder="Every product"
                clearable
                data={products.map((product) => product.id)}
                value={productId}
                onChange={setProductId}
              />
            )}
            <Popover opened={creating} onChange={setCreating} position="bottom-end" trapFocus>
              <Popover.Target>
                <Button
                  variant={releases.length === 0 ? 'default' : 'filled'}
                  leftSection={<Plus size={15} aria-hidden />}
                  onClick={() => setCreating(!creating)}
                  data-testid="new-release"
                >
                  New release
                </Button>
              </Popover.Target>
              <Popover.Dropdown aria-label="New release">
                <NewReleaseForm onDone={() => setCreating(false)} />
              </Popover.Dropdown>
            </Popover>
          </>
        }
      />
      <div className={layout.mainAndSide}>
        <Section title="All releases" flush fill>
          <DataGrid
            label="Releases"
            columns={columns}
            rowCount={shown.length}
            getRow={(index) => shown[index]}
            rowKey={(release) => release.id}
            sort={sort}
            onSort={(columnId) => setSort(nextSort(sort, columnId))}
            isSelected={(release) => release.id === releaseId}
            onSelect={(release) => selectRelease(release.id)}
            onOpen={openNext}
            empty={
              <EmptyState
                icon={Layers}
                sentence="A release is one version of a product on its way from files to updated devices."
                action={
                  <Button onClick={() => setCreating(true)} data-testid="first-release">
                    Make the first release
                  </Button>
                }
              />
            }
            testId="releases-grid"
          />
        </Section>
        <ReleaseLinePanel />
      </div>
    </>
  );
}
