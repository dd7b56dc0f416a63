import type { Device, ReportProtocol } from '../../../shared/domain/plan.ts';
import { isChinaTelecom } from '../../../shared/domain/scope.ts';
import type { GridColumn } from '../../widgets/data-grid.tsx';
import { agoText, timeText } from '../../widgets/format-text.ts';
import { TitledText } from '../../widgets/value-text.tsx';
import marks from './live-plan.module.css';
import classes from './rollout-view.module.css';

const protocolNames: Readonly<Record<ReportProtocol, string>> = {
  ddi: 'DDI',
  cloudota: 'CloudOTA',
  mqtt: 'MQTT',
  lwm2m: 'LwM2M',
};

/** What is shown of the devices of a product; `prefixes` are the ICCID prefixes of China Telecom cards. */
export function deviceColumns(
  prefixes: readonly string[],
  onAutoConfirm: (device: Device) => void,
): readonly GridColumn<Device>[] {
  return [
    { id: 'id', title: 'Device', widthPx: 204, render: ({ id }) => <TitledText text={id} /> },
    {
      id: 'transport',
      title: 'Transport',
      widthPx: 76,
      render: ({ transport }) => transport.toUpperCase(),
    },
    {
      id: 'versions',
      title: 'Versions',
      widthPx: 108,
      render: ({ versions }) => {
        const text = Object.entries(versions)
          .map(([component, version]) => `${component} ${version}`)
          .join(', ');
        return text === '' ? (
          <span className={classes.faint}>none yet</span>
        ) : (
          <TitledText text={text} />
        );
      },
    },
    {
      id: 'reported',
      title: 'Reported',
      hint: 'Over what, and when, the device itself said what it runs; only then can it be upgraded',
      widthPx: 122,
      render: (device) => <ReportedCell device={device} />,
    },
    { id: 'batch', title: 'Batch', widthPx: 88, render: ({ batch }) => batch ?? '' },
    {
      id: 'sim',
      title: 'SIM',
      minWidthPx: 142,
      render: (device) => <TitledText text={simText(device, prefixes)} />,
    },
    {
      id: 'seen',
      title: 'Last seen',
      widthPx: 76,
      render: ({ lastSeenAt }) =>
        lastSeenAt === null ? (
          <span className={classes.faint}>never</span>
        ) : (
          <time dateTime={lastSeenAt} title={timeText(lastSeenAt)}>
            {agoText(lastSeenAt, Date.now())}
          </time>
        ),
    },
    {
      id: 'autoConfirm',
      title: 'Auto',
      hint: 'Whether manual plans are confirmed for the device without asking its user',
      widthPx: 44,
      // Not a stop of its own for Tab: Enter does it for the current row.
      render: (device) => (
        <input
          type="checkbox"
          className={marks.mark}
          tabIndex={-1}
          aria-label={`Confirm manual plans for ${device.id} without asking`}
          checked={device.autoConfirm ?? false}
          onChange={() => onAutoConfirm(device)}
        />
      ),
    },
  ];
}

function ReportedCell({ device }: { readonly device: Device }) {
  const reports = Object.entries(device.reports ?? {});
  const [first, ...others] = reports.map(([, report]) => report);
  const newest = others.reduce(
    (last, report) => (report.at > (last?.at ?? '') ? report : last),
    first,
  );
  const lines = Object.keys({ ...device.versions, ...device.reports }).map((componentId) => {
    const report = reports.find(([id]) => id === componentId)?.[1];
    return report
      ? `${componentId} ${report.version}: said over ${protocolNames[report.protocol]}, ${timeText(report.at)}`
      : `${componentId} ${device.versions[componentId]}: declared when the device was added, never reported`;
  });
  const title = lines.join('\n');
  if (!newest)
    return (
      <span className={classes.faint} title={title} data-reported="never">
        {lines.length === 0 ? 'never' : 'declared only'}
      </span>
    );
  return (
    <time dateTime={newest.at} title={title} data-reported={newest.protocol}>
      {protocolNames[newest.protocol]}, {agoText(newest.at, Date.now())}
    </time>
  );
}

function simText(device: Device, prefixes: readonly string[]): string {
  const number = device.imsi ?? device.iccid ?? '';
  return isChinaTelecom(device, prefixes) === null ? number : `China Telecom, ${number}`;
}
