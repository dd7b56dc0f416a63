import {
  Button,
  Checkbox,
  Group,
  NumberInput,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { Zap } from 'lucide-react';
import { useState } from 'react';
import { protocolNames, protocols } from '../../../shared/domain/bench-names.ts';
import type { Product, Release } from '../../../shared/domain/product.ts';
import type { PickedFile } from '../../rpc/client.ts';
import { useBench } from '../../stores/bench.ts';
import { useStudio } from '../../stores/studio.ts';
import { FileDrop } from '../../widgets/file-drop.tsx';
import { Section } from '../../widgets/section.tsx';
import { benchPolicyOf, flashableImages } from './bench-policy.ts';
import { FootprintText } from './footprint-text.tsx';
import { PolicyState } from './policy-state.tsx';

const fileChoice = 'file';
const baudRates = { least: 1200, most: 4_000_000 } as const;
const protocolChoices = protocols.map((protocol) => ({
  value: protocol,
  label: protocolNames[protocol],
}));

/** Chooses the image, says what will be erased and written, and flashes. */
export function FlashSection(props: { readonly release: Release; readonly product: Product }) {
  const { release, product } = props;
  const packages = useStudio((state) => state.packages);
  const { chosen: boards, otherPath, protocol, setProtocol, runs, isFlashing, flash } = useBench();
  const images = flashableImages(product, release.id, packages);
  const [chosen, setChosen] = useState<string | null>(null);
  const [file, setFile] = useState<PickedFile | null>(null);
  const [baudRate, setBaudRate] = useState<number | null>(null);
  const [revision, setRevision] = useState<string | null>(null);
  const [changedOnly, setChangedOnly] = useState(false);
  const [expectVersion, setExpectVersion] = useState(release.version);

  const image = images.find(({ packageId }) => packageId === chosen) ?? images[0] ?? null;
  const takesFile = chosen === fileChoice || image === null;
  const source = takesFile
    ? file && { file: file.handle }
    : image && { packageId: image.packageId };
  const boardCount = boards.length + (otherPath.trim() === '' ? 0 : 1);
  const missing = whatIsMissing(boardCount, source !== null, isFlashing);
  const policy =
    !takesFile && image
      ? benchPolicyOf(product, image, runs ?? [], new Date().toISOString())
      : null;
  const revisions = product.policy.bench?.hardwareRevisions ?? [];
  return (
    <Section
      title="Flash"
      actions={
        <Button
          leftSection={<Zap size={14} aria-hidden />}
          disabled={missing !== null}
          loading={isFlashing}
          onClick={() => {
            const order = { protocol, expectVersion, baudRate, changedOnly };
            const hardwareRevision = revision;
            if (source) void flash({ ...order, hardwareRevision, source }, release.id);
          }}
          data-testid="flash"
        >
          {boardCount > 1 ? `Flash ${boardCount} boards` : 'Flash'}
        </Button>
      }
    >
      <Stack gap="xs">
        <Select
          label="Image"
          allowDeselect={false}
          data={[
            ...images.map(({ packageId, component, fileName }) => ({
              value: packageId,
              label: `${component.id} ${release.version}: ${fileName}`,
            })),
            { value: fileChoice, label: 'A file…' },
          ]}
          value={takesFile ? fileChoice : (image?.packageId ?? null)}
          onChange={(value) => {
            setChosen(value);
            setExpectVersion(value === fileChoice ? '' : release.version);
          }}
          data-testid="bench-image"
        />
        {images.length === 0 && (
          <Text size="xs" c="dimmed">
            This release has no full package of an MCU component with a single image yet.
          </Text>
        )}
        {takesFile && (
          <FileDrop
            outcome={file ? file.name : 'Flash this file'}
            limits="Raw binary, S-record or Intel HEX"
            multiple={false}
            pickTitle="Choose a firmware image"
            pickLabel="Choose…"
            onFiles={([picked]) => setFile(picked ?? null)}
            testId="bench-file"
          />
        )}
        {source && protocol === 'stm32' && (
          <FootprintText key={JSON.stringify(source)} source={source} />
        )}
        {policy && <PolicyState state={policy} />}
        <Group gap="xs" align="flex-start" wrap="nowrap">
          <Select
            label="Protocol"
            style={{ flex: 1 }}
            allowDeselect={false}
            data={protocolChoices}
            value={protocol}
            onChange={(value) => value !== null && setProtocol(value)}
          />
          <NumberInput
            label="Baud"
            min={baudRates.least}
            max={baudRates.most}
            step={100}
            hideControls
            placeholder="usual"
            w={88}
            value={baudRate ?? ''}
            onChange={(value) => setBaudRate(Number(value) || null)}
          />
        </Group>
        <TextInput
          label="Version that must boot"
          description="Looked for in the boot log; leave it empty to flash without this check."
          descriptionProps={{ fz: 12 }}
          value={expectVersion}
          onChange={(event) => setExpectVersion(event.currentTarget.value.trim())}
        />
        {revisions.length > 0 && (
          <Select
            label="Hardware revision of the boards"
            description="Remembered for each board."
            descriptionProps={{ fz: 12 }}
            clearable
            placeholder="as remembered"
            data={revisions}
            value={revision}
            onChange={setRevision}
          />
        )}
        <Checkbox
          size="xs"
          label="Leave what the board holds already"
          checked={changedOnly}
          onChange={(event) => setChangedOnly(event.currentTarget.checked)}
        />
        {missing !== null && (
          <Text size="xs" c="dimmed" data-testid="flash-missing">
            {missing}
          </Text>
        )}
      </Stack>
    </Section>
  );
}

function whatIsMissing(boardCount: number, hasSource: boolean, isFlashing: boolean): string | null {
  if (isFlashing) return 'A board is being flashed.';
  if (boardCount === 0) return 'Choose a board first.';
  return hasSource ? null : 'Choose an image first.';
}
