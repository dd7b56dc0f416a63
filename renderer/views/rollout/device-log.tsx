import { Drawer, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { Plan } from '../../../shared/domain/plan.ts';
import type { DeviceLogEntry } from '../../../shared/domain/plan-stages.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { call } from '../../rpc/client.ts';
import { usePoll } from '../../stores/use-poll.ts';
import { clockText } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { logText } from './stage-text.ts';
import classes from './stages.module.css';

const refreshPeriodMs = 1000;

/** What happened to one device in a plan, newest last. */
export function DeviceLogDrawer(props: {
  readonly plan: Plan;
  readonly deviceId: string | null;
  readonly isLive: boolean;
  readonly onClose: () => void;
}) {
  const { plan, deviceId, isLive } = props;
  const [lines, setLines] = useState<readonly DeviceLogEntry[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const read = async (): Promise<void> => {
    if (deviceId === null) return;
    try {
      setLines(await call('plans.deviceLog', { planId: plan.id, deviceId }));
      setProblem(null);
    } catch (error) {
      setProblem(toProblem(error));
    }
  };
  usePoll(read, refreshPeriodMs, deviceId !== null && isLive);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew for another device
  useEffect(() => {
    setLines(null);
    if (!isLive) void read();
  }, [deviceId]);
  return (
    <Drawer
      opened={deviceId !== null}
      onClose={props.onClose}
      position="right"
      size={420}
      title={deviceId ?? ''}
    >
      {problem && <ProblemAlert problem={problem} />}
      {lines === null ? (
        problem === null && <LoadingLines label="Reading the log of the device" />
      ) : lines.length === 0 ? (
        <Text c="dimmed">Nothing has happened to this device in this plan yet.</Text>
      ) : (
        <ol className={classes.log} data-testid="device-log">
          {lines.map((line, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines are only added
            <li key={at} data-event={line.event}>
              <time dateTime={line.at} title={line.at}>
                {clockText(line.at)}
              </time>
              <span>{logText(line)}</span>
            </li>
          ))}
        </ol>
      )}
    </Drawer>
  );
}
