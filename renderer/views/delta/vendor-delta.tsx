import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { call, type PickedFile } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { FileDrop } from '../../widgets/file-drop.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { useSubmit } from '../../widgets/use-submit.ts';
import { Bytes, ClippedText } from '../../widgets/value-text.tsx';
import { patchBytes } from './delta-rows.ts';
import classes from './delta-view.module.css';

interface VendorDeltaProps {
  readonly target: VersionPackage;
  /** Version that the devices run before it, as far as one is chosen. */
  readonly sourceVersion: string | undefined;
}

/** Opens the dialog that records a delta which the vendor of a module made. */
export function VendorDeltaButton(props: VendorDeltaProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        ml="auto"
        size="compact-sm"
        variant="default"
        onClick={() => setOpen(true)}
        data-testid="delta-vendor"
      >
        Record vendor delta
      </Button>
      {isOpen && <VendorDeltaDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

function VendorDeltaDialog(props: VendorDeltaProps & { readonly onClose: () => void }) {
  const { target, onClose } = props;
  const refresh = useStudio((state) => state.refresh);
  const [version, setVersion] = useState(props.sourceVersion ?? '');
  const [files, setFiles] = useState<readonly PickedFile[]>([]);
  const { isReady, busy, problem, submit } = useSubmit({
    isComplete: version.trim() !== '' && files.length > 0,
    send: async () => {
      await call('delta.accept', {
        releaseId: target.releaseId,
        componentId: target.componentId,
        sourceVersion: version.trim(),
        files: files.map(({ handle }) => handle),
      });
      await refresh();
    },
    onClose,
  });

  return (
    <Modal
      opened
      onClose={onClose}
      size={560}
      title={`Vendor delta to ${target.componentId} ${target.targetVersion}`}
    >
      <form onSubmit={submit} data-testid="vendor-dialog">
        <Stack gap="sm">
          <Text>
            A patch of a public format is applied and proven here when both versions are released.
            What only the vendor’s device can apply is recorded as not checked.
          </Text>
          <TextInput
            label="From version"
            description="What the devices run before the update"
            required
            data-autofocus
            value={version}
            onChange={(event) => setVersion(event.currentTarget.value)}
          />
          <FileDrop
            outcome={`Record as the delta to ${target.targetVersion}`}
            limits=".pack, .bin, .zip, .mini_1 and .mini_2"
            multiple
            pickTitle="Choose the vendor’s delta"
            disabled={busy}
            onFiles={setFiles}
            testId="vendor-drop"
          />
          {files.length > 0 && (
            <Text data-testid="vendor-files">{files.map(({ name }) => name).join(', ')}</Text>
          )}
          {problem && <ProblemAlert problem={problem} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!isReady} loading={busy} data-testid="vendor-submit">
              Record
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Deltas that start from a version which no release has; nothing when there is none. */
export function UnreleasedDeltas({ deltas }: { readonly deltas: readonly VersionPackage[] }) {
  if (deltas.length === 0) return null;
  return (
    <Section title="From versions that no release has" testId="delta-unreleased">
      <Stack gap={4}>
        {deltas.map((delta) => (
          <div className={classes.unreleased} key={delta.id}>
            <span>{delta.sourceVersion}</span>
            <ClippedText text={delta.files.map(({ name }) => name).join(', ')} />
            <Bytes value={patchBytes(delta)} />
            {delta.deltaProof ? (
              <ToneBadge tone="good" word="Proven" />
            ) : (
              <ToneBadge tone="unknown" word="Not checked" />
            )}
          </div>
        ))}
      </Stack>
    </Section>
  );
}
