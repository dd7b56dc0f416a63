import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { useVerifications } from '../../stores/use-verifications.ts';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Section } from '../../widgets/section.tsx';
import { VerificationList } from '../../widgets/verification-list.tsx';

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
  const componentId = componentIds.find((id) => id === component) ?? componentIds[0] ?? '';
  const { tried, problem, read } = useVerifications(releaseId, isCloudRunning);
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
        {tried.length > 0 && <VerificationList tried={tried} />}
      </Stack>
    </Section>
  );
}
