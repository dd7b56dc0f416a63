import {
  Alert,
  AppShell,
  Group,
  Progress,
  Stack,
  Text,
  Title,
  useMantineColorScheme,
  Button,
} from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import type { Output, ReleaseSummary } from '../../shared/contract/contract.ts';
import type { Job } from '../../shared/domain/job.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import type { Product } from '../../shared/domain/product.ts';
import { jobProgressText } from '../../shared/domain/progress-text.ts';
import { call } from '../rpc/client.ts';
import { BundlePanel } from '../views/bundle-panel.tsx';
import { ReleasesPanel } from '../views/releases-panel.tsx';

/** The window: releases on the left, the chosen release's bundle on the right, work in progress below. */
export function App() {
  const [info, setInfo] = useState<Output<'app.info'> | null>(null);
  const [products, setProducts] = useState<readonly Product[]>([]);
  const [releases, setReleases] = useState<readonly ReleaseSummary[]>([]);
  const [releaseId, setReleaseId] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [job, setJob] = useState<Job | null>(null);
  const { colorScheme, setColorScheme } = useMantineColorScheme();

  const act = useCallback(async (work: () => Promise<void>) => {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(toProblem(error));
    }
  }, []);
  const refresh = useCallback(async () => setReleases(await call('releases.list', {})), []);

  useEffect(() => {
    void act(async () => {
      setInfo(await call('app.info', {}));
      setProducts(await call('products.list', {}));
      await refresh();
      document.documentElement.dataset.interactive = 'true';
    });
    return window.slipway.subscribe((event) => {
      if (event.type === 'job') setJob(event.job);
    });
  }, [act, refresh]);

  const release = releases.find((candidate) => candidate.id === releaseId) ?? null;
  const product = products.find((candidate) => candidate.id === release?.productId) ?? null;
  const nextScheme = colorScheme === 'dark' ? 'light' : 'dark';
  return (
    <AppShell
      header={{ height: 52 }}
      footer={{ height: 44 }}
      navbar={{ width: 360, breakpoint: 0 }}
      padding="md"
    >
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between">
          <Title order={4}>Slipway{info ? `: ${info.workspace.name}` : ''}</Title>
          <Button variant="default" size="xs" onClick={() => setColorScheme(nextScheme)}>
            Switch to {nextScheme}
          </Button>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="md">
        <ReleasesPanel
          products={products}
          releases={releases}
          selectedId={releaseId}
          onSelect={setReleaseId}
          act={act}
          refresh={refresh}
        />
      </AppShell.Navbar>
      <AppShell.Main>
        <Stack>
          {problem && (
            <Alert
              color="red"
              role="alert"
              title={problem.title}
              withCloseButton
              closeButtonLabel="Close"
              onClose={() => setProblem(null)}
            >
              {problem.detail} {problem.hint}
            </Alert>
          )}
          {release && product ? (
            <BundlePanel
              key={release.id}
              release={release}
              product={product}
              act={act}
              refresh={refresh}
            />
          ) : (
            <Text>Choose a release on the left, or make one, to add its firmware files.</Text>
          )}
        </Stack>
      </AppShell.Main>
      <AppShell.Footer px="md">
        <Group h="100%">
          <Text size="sm">{job ? jobProgressText(job) : 'No work in progress'}</Text>
          {job?.state === 'running' && (
            <>
              <Progress
                w={200}
                value={job.total > 0 ? (100 * job.done) / job.total : 100}
                animated
                aria-label={job.title}
              />
              <Button
                size="compact-xs"
                variant="default"
                onClick={() =>
                  void act(async () => void (await call('jobs.cancel', { jobId: job.id })))
                }
              >
                Cancel
              </Button>
            </>
          )}
        </Group>
      </AppShell.Footer>
    </AppShell>
  );
}
