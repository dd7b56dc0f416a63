import { Button, Menu, Text } from '@mantine/core';
import { Download } from 'lucide-react';
import { useState } from 'react';
import type { InspectReport } from '../../shared/domain/finding.ts';
import type { ReportFormat } from '../../shared/report/report-formats.ts';
import { call, pickTarget } from '../rpc/client.ts';
import { useStudio } from '../stores/studio.ts';

const formats: readonly (readonly [ReportFormat, name: string, about: string])[] = [
  ['html', 'HTML page', 'to read and to print'],
  ['sarif', 'SARIF', 'for CI systems'],
  ['json', 'JSON', 'for scripts'],
];

/** What is reported on: a version package as it is judged now, or the report of files. */
export type ReportSource =
  | { readonly packageId: string }
  | { readonly report: InspectReport; readonly title: string };

/** Saves a report of the bundle room in the chosen form where the user wants it. */
export function SaveReport(props: {
  readonly source: ReportSource;
  /** Name of the file without its extension. */
  readonly fileName: string;
  readonly fullWidth?: boolean;
  readonly compact?: boolean;
}) {
  const { source, fileName, fullWidth = false, compact = false } = props;
  const act = useStudio((state) => state.act);
  const [saved, setSaved] = useState<string | null>(null);
  const save = (format: ReportFormat) =>
    void act(async () => {
      setSaved(null);
      const suggestedName = `${fileName}.${format}`;
      const target = await pickTarget({ title: 'Save the report', suggestedName });
      if (target === null) return;
      await call('bundle.report', { format, out: target.handle, ...source });
      setSaved(target.name);
    });
  return (
    <>
      <Menu position="bottom-end" width={230}>
        <Menu.Target>
          <Button
            fullWidth={fullWidth}
            size={compact ? 'compact-xs' : 'xs'}
            variant="default"
            leftSection={<Download size={compact ? 13 : 14} aria-hidden />}
            data-testid="save-report"
          >
            Save report…
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {formats.map(([format, name, about]) => (
            <Menu.Item key={format} onClick={() => save(format)}>
              {name}{' '}
              <Text span c="dimmed">
                {about}
              </Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Text size="xs" role="status" display={saved === null ? 'none' : undefined}>
        {saved !== null && `Saved as ${saved}`}
      </Text>
    </>
  );
}
