import { Button, FileButton, Group, Modal, Stack, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Product } from '../../../shared/domain/product.ts';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { countText, pluralText } from '../../widgets/format-text.ts';
import { LinesInput } from '../../widgets/lines-input.tsx';
import { type DeviceTable, parseDeviceCsv } from './device-csv.ts';
import classes from './rollout-view.module.css';

const devicesPerCall = 2000;
const maxFileBytes = 16 * 1024 * 1024;
const shownErrors = 20;

/** What an import did. */
interface Imported {
  readonly added: number;
  readonly known: number;
  readonly secretsFile: string | null;
}

/** Imports devices from a table that is pasted, dropped or picked. */
export function ImportDialog(props: {
  readonly product: Product;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onImported: () => void;
}) {
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={`Import devices of ${props.product.name}`}
      size={640}
    >
      <ImportForm {...props} />
    </Modal>
  );
}

function ImportForm(props: {
  readonly product: Product;
  readonly onClose: () => void;
  readonly onImported: () => void;
}) {
  const { product } = props;
  const act = useStudio((state) => state.act);
  const [text, setText] = useState('');
  const [fileProblem, setFileProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [imported, setImported] = useState<Imported | null>(null);
  const table = useMemo(() => parseDeviceCsv(text, product.id), [text, product.id]);

  const readFile = (file: File | null): void => {
    if (!file) return;
    setFileProblem(null);
    if (file.size > maxFileBytes) {
      setFileProblem(`${file.name} is larger than 16 MiB.`);
      return;
    }
    file.text().then(setText, () => setFileProblem(`${file.name} cannot be read.`));
  };
  const importAll = async (): Promise<void> => {
    setBusy(true);
    const isDone = await act(async () => {
      let added = 0;
      let secretsFile: string | null = null;
      for (let at = 0; at < table.devices.length; at += devicesPerCall) {
        const devices = table.devices.slice(at, at + devicesPerCall);
        const answer = await call('devices.import', { devices });
        added += answer.added;
        secretsFile = answer.secretsFile ?? secretsFile;
      }
      setImported({ added, known: table.devices.length - added, secretsFile });
    });
    setBusy(false);
    if (isDone) props.onImported();
  };

  if (imported) return <ImportResult imported={imported} onClose={props.onClose} />;
  return (
    <Stack gap="sm">
      <Text size="xs" c="dimmed">
        Type, paste or drop a table: one device per row, separated by commas, semicolons or tabs:
        id, transport (http, mqtt or lwm2m), imsi, iccid, batch. A first row with these names may
        order them otherwise.
      </Text>
      <LinesInput
        label="Devices"
        placeholder="id,transport,imsi,iccid,batch"
        rows={9}
        text={text}
        onText={setText}
        onFile={readFile}
        data-testid="import-text"
      />
      {fileProblem !== null && (
        <Text size="xs" c="red" role="alert">
          {fileProblem}
        </Text>
      )}
      <TableErrors table={table} />
      <Group justify="space-between">
        <FileButton onChange={readFile} accept=".csv,.tsv,.txt,text/csv">
          {(button) => (
            <Button variant="default" {...button}>
              Choose a CSV file…
            </Button>
          )}
        </FileButton>
        <Button
          disabled={table.devices.length === 0}
          loading={isBusy}
          onClick={() => void importAll()}
          data-testid="import-run"
        >
          Import {pluralText(table.devices.length, 'device')}
          {table.errors.length > 0 && `, leave out ${pluralText(table.errors.length, 'row')}`}
        </Button>
      </Group>
    </Stack>
  );
}

function TableErrors({ table }: { readonly table: DeviceTable }) {
  if (table.errors.length === 0) return null;
  return (
    <div className={classes.names} role="status" data-testid="import-errors">
      {table.errors.slice(0, shownErrors).map(({ line, why }) => (
        <div key={`${line} ${why}`}>
          Line {countText(line)}: {why}
        </div>
      ))}
      {table.errors.length > shownErrors && (
        <div>and {countText(table.errors.length - shownErrors)} more.</div>
      )}
    </div>
  );
}

function ImportResult(props: { readonly imported: Imported; readonly onClose: () => void }) {
  const { added, known, secretsFile } = props.imported;
  return (
    <Stack gap="sm" role="status" data-testid="import-result">
      <Text>
        {pluralText(added, 'device')} added, {countText(known)} known already and updated.
      </Text>
      {secretsFile !== null && (
        <Text size="xs">
          Each new device got a secret, which it needs to reach the cloud. They were added to{' '}
          <span className={classes.address}>{secretsFile}</span>, readable by you only, with the key
          under DTLS behind that of an LwM2M device. The cloud does not tell them again.
        </Text>
      )}
      <Group justify="flex-end">
        <Button onClick={props.onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
