import { Stack, Text } from '@mantine/core';
import { useStudio } from '../../stores/studio.ts';
import { Section } from '../../widgets/section.tsx';
import { OperatorLine } from './operator-line.tsx';
import classes from './rollout-view.module.css';

/** Where devices reach the local cloud. */
export function CloudSection() {
  const cloud = useStudio((state) => state.cloud);
  return (
    <Section title="Local cloud">
      {cloud?.running ? (
        <Stack gap={6} data-testid="cloud-addresses">
          <Address name="HTTP (DDI v1)" address={cloud.http} />
          <Address name="MQTT" address={cloud.mqtt} />
          <Address name="LwM2M (CoAP)" address={cloud.coap} />
          <Address name="LwM2M under DTLS (CoAPs)" address={cloud.coaps} />
          <OperatorLine />
          <Text size="xs" c="dimmed">
            Only this computer reaches these addresses. Stopping the cloud loses nothing: rollouts
            go on when it starts again.
          </Text>
        </Stack>
      ) : (
        <Text size="xs" c="dimmed">
          It runs on this computer and keeps devices, packages and rollouts in the workspace. Start
          it to see devices and to publish plans.
        </Text>
      )}
    </Section>
  );
}

function Address(props: { readonly name: string; readonly address: string | null }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {props.name}
      </Text>
      <div className={classes.address}>{props.address ?? 'not served'}</div>
    </div>
  );
}
