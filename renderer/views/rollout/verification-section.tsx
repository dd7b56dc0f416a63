import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import type { Verification } from '../../../shared/domain/verification.ts';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { usePoll } from '../../stores/use-poll.ts';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Section } from '../../widgets/section.tsx';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import { Time, TitledText } from '../../widgets/value-text.tsx';
import classes from './verification-section.module.css';

const pollPeriodMs = 1000;
const outcomes: Readonly<Record<Verification['outcome'], readonly [Tone, string]>> = {
  running: ['busy', 'Running'],
  succeeded: ['good', 'Succeeded'],
  failed: ['bad', 'Failed'],
};

/** What people read for why a verification failed. */
const errorTitles: Readonly<Record<string, string>> = {
  'verification-timeout': 'not proven within 60 minutes',
  terminated: 'terminated',
  'never-issued': 'the cloud never got it',
};

/** Tries a package of the release on one device, and shows what was tried before. */
export function VerificationSection(props: {
  readonly releaseId: string;
  readonly componentIds: readonly string[];
  readonly isCloudRunning: boolean;
}) {
  const { releaseId, componentIds, isCloudRunning } = props;
  const act = useStudio((state) => state.act);
  const [component, setComponent] = useState<string | null>(null);
  const [deviceId, setDeviceId] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [tried, setTried] = useState<readonly Verification[]>([]);
  const componentId = componentIds.find((id) => id === component) ?? componentIds[0] ?? '';
  const isRunning = tried.some(({ outcome }) => outcome === 'running');
  const [problem, setProblem] = useState<Problem | null>(null);
  const read = useCallback(async () => {
    try {
      setTried(await call('verifications.list', { releaseId }));
      setProblem(null);
    } catch (error) {
      setProblem(toProblem(error));
    }
  }, [releaseId]);
  useEffect(() => void read(), [read]);
  usePoll(read, pollPeriodMs, isRunning && isCloudRunning);
  const start = async (): Promise<void> => {
    setBusy(true);
    await act(async () => {
      await call('verifications.start', { releaseId, componentId, deviceId: deviceId.trim() });
      await read();
    });
    setBusy(false);
  };
  return (
    <Section title="Verification on one device" testId="verification">
      <Stack gap="sm">
        <Group gap="sm" align="flex-end" wrap="nowrap">
          <Select
            label="Component"
            allowDeselect={false}
            data={[...componentIds]}
            value={componentId}
            onChange={setComponent}
            w={130}
          />
          <TextInput
            label="Device"
            placeholder="Its id"
            value={deviceId}
            onChange={(event) => setDeviceId(event.currentTarget.value)}
            style={{ flex: 1 }}
            data-testid="verify-device"
          />
          <Button
            variant="default"
            disabled={!isCloudRunning || deviceId.trim() === ''}
            loading={isBusy}
            onClick={() => void start()}
            data-testid="verify-start"
          >
            Verify
          </Button>
        </Group>
        <Text size="xs" c="dimmed">
          The device gets the package as soon as it is online; after 60 minutes without its new
          version the verification has failed.
        </Text>
        {problem && <ProblemAlert problem={problem} />}
        {tried.length > 0 && (
          <ul className={classes.list} data-testid="verifications">
            {tried.map((one) => (
              <Tried key={one.id} verification={one} />
            ))}
          </ul>
        )}
      </Stack>
    </Section>
  );
}

function Tried({ verification }: { readonly verification: Verification }) {
  const { outcome, error, deviceId, packageName, startedAt } = verification;
  const [tone, word] = outcomes[outcome];
  return (
    <li>
      <ToneBadge tone={tone} word={word} />
      <TitledText text={deviceId} />
      <TitledText
        text={error === null ? packageName : `${packageName}: ${errorTitles[error] ?? error}`}
      />
      <Time at={startedAt} />
    </li>
  );
}
