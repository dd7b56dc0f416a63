import { Button, Progress, Stack, Text } from '@mantine/core';
import type { BenchRun } from '../../../shared/domain/bench.ts';
import { boardIdOf } from '../../../shared/domain/bench-policy.ts';
import { verifyWords } from '../../../shared/domain/bench-names.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { byteText } from '../../../shared/domain/progress-text.ts';
import { call } from '../../rpc/client.ts';
import { useBench } from '../../stores/bench.ts';
import { useConsole } from '../../stores/console.ts';
import { useRunningJobs, useStudio } from '../../stores/studio.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { durationText, etaText, percentText, rateText } from '../../widgets/format-text.ts';
import { jobAmountText, jobShare } from '../../widgets/job-text.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge, ToneIcon } from '../../widgets/tone-badge.tsx';
import { Bytes } from '../../widgets/value-text.tsx';
import classes from './bench-view.module.css';
import { ConsentForm } from './consent-form.tsx';

/** The flash that is going on, or how the chosen run went. */
export function ResultSection({ releaseId }: { readonly releaseId: string }) {
  const { runs, runId, failures, isFlashing, dismiss } = useBench();
  const jobs = [...useRunningJobs('bench.flash'), ...useRunningJobs('bench.resume')];
  const run = runs?.find(({ id }) => id === runId);
  if (isFlashing && jobs.length > 0)
    return (
      <Section title={jobs.length > 1 ? `Flashing ${jobs.length} boards` : 'Flashing'}>
        {jobs.map((job) => (
          <FlashProgress key={job.id} job={job} isNamed={jobs.length > 1} />
        ))}
      </Section>
    );
  return (
    <>
      {failures.map(({ port, problem, runId: failedId }) => {
        const failed = runs?.find(({ id }) => id === failedId);
        return (
          <ProblemAlert
            key={port}
            problem={problem}
            onClose={() => dismiss(port)}
            action={
              problem.code.startsWith('consent-') ? (
                <ConsentForm port={port} />
              ) : connectionTroubles.has(problem.code) ? (
                <HelpButton port={port} />
              ) : (
                failed?.resumable && <ResumeButton run={failed} releaseId={releaseId} isNamed />
              )
            }
          />
        );
      })}
      {run && <RunSection run={run} releaseId={releaseId} />}
    </>
  );
}

/** Problems that the help for connections knows about. */
const connectionTroubles = new Set([
  'port-busy',
  'no-permission',
  'port-not-found',
  'no-bootloader',
  'bootloader-silent',
  'bootloader-confused',
]);

function HelpButton({ port }: { readonly port: string }) {
  const { setPort, show } = useConsole();
  const open = () => {
    setPort(port);
    show('connection');
  };
  return (
    <Button size="compact-xs" onClick={open}>
      Help with the connection
    </Button>
  );
}

interface RunProps {
  readonly run: BenchRun;
  readonly releaseId: string;
}

function ResumeButton({ run, releaseId, isNamed = false }: RunProps & { isNamed?: boolean }) {
  const resume = useBench((state) => state.resume);
  return (
    <Button size="compact-xs" onClick={() => void resume(run, releaseId)} data-testid="resume">
      {isNamed ? `Go on with ${run.board?.nickname ?? run.port}` : 'Go on with this run'}
    </Button>
  );
}

function RunSection({ run, releaseId }: RunProps) {
  return (
    <Section
      title={`Result: ${run.imageName} on ${run.port}`}
      actions={
        <>
          {run.resumable && <ResumeButton run={run} releaseId={releaseId} />}
          <ToneBadge tone={run.passed ? 'good' : 'bad'} word={run.passed ? 'Passed' : 'Failed'} />
        </>
      }
      testId="bench-result"
    >
      <RunFacts run={run} />
    </Section>
  );
}

function FlashProgress({ job, isNamed }: { readonly job: Job; readonly isNamed: boolean }) {
  const act = useStudio((state) => state.act);
  const words =
    job.total > 0
      ? [percentText(jobShare(job)), jobAmountText(job), rateText(job), etaText(job)]
      : [];
  return (
    <div className={classes.progress} data-testid="flash-progress">
      <Stack gap={4}>
        {isNamed && <Text size="xs">{job.title}</Text>}
        <Text fw={500}>{job.step || 'Opening the port'}</Text>
        <Progress
          value={100 * jobShare(job)}
          animated={job.total === 0}
          aria-label={job.step || 'Opening the port'}
        />
        <Text size="xs" c="dimmed" className="digits" mih={17}>
          {words.filter(Boolean).join(', ')}
        </Text>
      </Stack>
      <Button
        variant="default"
        onClick={() => void act(async () => void (await call('jobs.cancel', { jobId: job.id })))}
      >
        Cancel
      </Button>
    </div>
  );
}

function RunFacts({ run }: { readonly run: BenchRun }) {
  const { result } = run;
  const boardId = boardIdOf(run);
  return (
    <FactList
      layout="row"
      facts={[
        ...(run.failure ? [['Ended early', run.failure.title] as const] : []),
        ['Booted version', <Booted run={run} />],
        [
          'Verified',
          <>
            <ToneIcon tone={result.verified ? 'good' : 'bad'} />
            {result.verified ? `by ${verifyWords[result.verifyMethod ?? 'read-back']}` : 'no'}
          </>,
        ],
        ['Chip', result.chip || 'not identified'],
        [
          'Board',
          boardId === null ? 'nothing tells it from others' : (run.board?.nickname ?? boardId),
        ],
        ...(run.hardwareRevision === undefined
          ? []
          : [['Hardware revision', run.hardwareRevision] as const]),
        [
          'Written',
          <span>
            <Bytes value={result.bytesWritten} />
            {result.skippedBytes > 0 && (
              <>
                , <Bytes value={result.skippedBytes} /> blank and skipped
              </>
            )}
            {(result.unchangedBytes ?? 0) > 0 && (
              <>
                , <Bytes value={result.unchangedBytes ?? 0} /> unchanged
              </>
            )}
          </span>,
        ],
        ...(result.baudFallback
          ? [
              [
                'Speed',
                `no answer at ${result.baudFallback.wished} baud; ${result.baudFallback.worked} worked`,
              ] as const,
            ]
          : []),
        ['Duration', durationText(result.elapsedMs)],
        [
          'Write rate',
          `${byteText(result.bytesPerSec)}/s${run.port.startsWith('virtual:') ? ', without a wire' : ''}`,
        ],
        ['Image', <HashText hash={run.imageSha256} />],
        ['Recording', <HashText hash={run.recordingSha256} label="SHA-256 of the recording" />],
      ]}
    />
  );
}

function Booted({ run }: { readonly run: BenchRun }) {
  const { booted } = run.result;
  if (!booted) return <>not checked</>;
  if (booted.outcome === 'boot-loop')
    return (
      <>
        <ToneIcon tone="bad" /> {booted.version ?? 'no version'}, boots in a loop
      </>
    );
  if (booted.version === null)
    return (
      <>
        <ToneIcon tone={run.passed ? 'unknown' : 'bad'} />{' '}
        {run.passed ? 'none seen in the boot log' : 'did not boot: no version in the boot log'}
      </>
    );
  if (booted.matched)
    return (
      <>
        <ToneIcon tone="good" /> {booted.version}, as expected
      </>
    );
  return run.passed ? (
    <>
      <ToneIcon tone="unknown" /> {booted.version}, none was expected
    </>
  ) : (
    <>
      <ToneIcon tone="bad" /> {booted.version}, not the expected version
    </>
  );
}
