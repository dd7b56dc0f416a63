import { useCallback, useEffect, useState } from 'react';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { call } from '../rpc/client.ts';
import { usePoll } from './use-poll.ts';

const pollPeriodMs = 1000;

/** What was tried of a release on one device each, newest first; followed while one runs and the cloud does. */
export function useVerifications(
  releaseId: string,
  isCloudRunning: boolean,
): {
  readonly tried: readonly Verification[];
  readonly problem: Problem | null;
  readonly read: () => Promise<void>;
} {
  const [tried, setTried] = useState<readonly Verification[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const read = useCallback(async () => {
    try {
      setTried(await call('verifications.list', { releaseId, startsCloud: false }));
      setProblem(null);
    } catch (error) {
      setProblem(toProblem(error));
    }
  }, [releaseId]);
  useEffect(() => {
    setTried([]);
    void read();
  }, [read, isCloudRunning]);
  const isRunning = tried.some(({ outcome }) => outcome === 'running');
  usePoll(read, pollPeriodMs, isRunning && isCloudRunning);
  return { tried, problem, read };
}
