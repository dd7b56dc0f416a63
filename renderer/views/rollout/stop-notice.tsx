import { Alert, Button, Modal, Stack, Text } from '@mantine/core';
import { OctagonX } from 'lucide-react';
import { useState } from 'react';
import type { Plan, PlanStatus } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { countText, pluralText, timeText } from '../../widgets/format-text.ts';
import { OperatorDecision } from './operator-decision.tsx';
import { isActive } from './status-text.ts';
import { stopText } from './stage-text.ts';
import classes from './stages.module.css';

/** The stops of a plan: the rule, its evidence, and who accepted it or the way to do so. */
export function StopNotice(props: { readonly plan: Plan; readonly status: PlanStatus }) {
  const { plan, status } = props;
  const [isAsking, setAsking] = useState(false);
  const resume = useRollout((state) => state.resumeAccepting);
  const stops = status.stops ?? [];
  const open = stops.findLast(({ resumed }) => resumed === null);
  const past = stops.filter((stop) => stop.resumed !== null);
  if (stops.length === 0) return null;
  const hidden = open ? open.failed + open.silent - open.devices.length : 0;
  return (
    <Stack gap="xs" mt="sm" data-testid="stops">
      {open && (
        <Alert
          color="red"
          px="sm"
          py="xs"
          icon={<OctagonX size={18} aria-hidden />}
          title={`Stopped by a rule, ${timeText(open.at)}`}
          data-testid="stop"
        >
          <div className={classes.stop}>
            <div>
              <Text size="sm">{stopText(open)}</Text>
              <div
                className={classes.names}
                tabIndex={0}
                role="group"
                aria-label="Devices that failed"
              >
                {open.devices.map(({ deviceId, code }) => `${deviceId} (${code})`).join(', ')}
                {hidden > 0 && ` and ${countText(hidden)} more`}
              </div>
            </div>
            {isActive(status.state) && (
              <Button
                variant="default"
                size="compact-sm"
                onClick={() => setAsking(true)}
                data-testid="resume-accept"
              >
                Resume and accept…
              </Button>
            )}
          </div>
        </Alert>
      )}
      {past.length > 0 && (
        <div className={classes.past} tabIndex={0} role="group" aria-label="Earlier stops">
          {past.map(
            (stop) =>
              stop.resumed && (
                <Text key={stop.at} size="xs" c="dimmed">
                  Stopped {timeText(stop.at)}: {stopText(stop)} {stop.resumed.name} accepted{' '}
                  {pluralText(stop.resumed.accepted, 'device')}, {timeText(stop.resumed.at)}: “
                  {stop.resumed.reason}”
                </Text>
              ),
          )}
        </div>
      )}
      {open && (
        <Modal
          opened={isAsking}
          onClose={() => setAsking(false)}
          size={560}
          title={`Resume ${plan.name}?`}
        >
          <OperatorDecision
            submitWord="Accept and resume"
            onDecide={resume}
            onClose={() => setAsking(false)}
            testId="resume-accept"
          >
            <Text>{stopText(open)}</Text>
            <Text>
              Every device that has failed or is silent now is accepted: it does not stop the plan
              again, and the record says who decided so. Failures that come later count anew.
            </Text>
          </OperatorDecision>
        </Modal>
      )}
    </Stack>
  );
}
