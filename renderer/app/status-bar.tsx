import { Tooltip } from '@mantine/core';
import { Activity, CloudOff, Cloud } from 'lucide-react';
import { useEffect } from 'react';
import { useDock } from '../stores/dock.ts';
import { useStudio } from '../stores/studio.ts';
import { pluralText } from '../widgets/format-text.ts';
import classes from './status-bar.module.css';

const cloudPollMs = 4000;

/** The line at the bottom: the embedded cloud, running jobs, the workspace and the version. */
export function StatusBar() {
  const info = useStudio((state) => state.info);
  const running = useStudio((state) => state.jobs.filter((job) => job.state === 'running').length);
  const show = useDock((state) => state.show);
  return (
    <footer className={classes.bar}>
      <CloudState />
      <button type="button" className={classes.item} onClick={() => show('jobs')}>
        <Activity size={13} aria-hidden />
        {running === 0 ? 'No jobs running' : `${pluralText(running, 'job')} running`}
      </button>
      <Tooltip label={info?.workspace.path ?? ''}>
        <span className={classes.path}>{info?.workspace.path}</span>
      </Tooltip>
      <span className={classes.item}>{info && `Slipway ${info.version}`}</span>
    </footer>
  );
}

function CloudState() {
  const cloud = useStudio((state) => state.cloud);
  const ready = useStudio((state) => state.ready);
  const refreshCloud = useStudio((state) => state.refreshCloud);
  useEffect(() => {
    if (!ready) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible')
        refreshCloud().catch(() => useStudio.setState({ cloud: null }));
    }, cloudPollMs);
    return () => clearInterval(timer);
  }, [ready, refreshCloud]);
  const running = cloud?.running === true;
  const Icon = running ? Cloud : CloudOff;
  const word = cloud ? (running ? 'running' : 'stopped') : 'unknown';
  return (
    <Tooltip
      label={
        running
          ? `HTTP ${cloud.http}, MQTT ${cloud.mqtt}, LwM2M ${cloud.coaps ?? cloud.coap ?? 'not served'}`
          : 'It starts with the first rollout'
      }
    >
      <span className={classes.item} data-testid="cloud-state">
        <Icon size={13} aria-hidden />
        Local cloud {word}
      </span>
    </Tooltip>
  );
}
