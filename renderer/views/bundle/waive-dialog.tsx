import { Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { isSamePerson, minReasonLength } from '../../../shared/domain/person.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { useStudio } from '../../stores/studio.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';

/** What a waiver is given for. */
export interface WaiverSubject {
  readonly rule: string;
  readonly title: string;
  readonly fileName: string;
  readonly sha256: string;
  readonly productId: string;
  readonly version: string;
}

const minNameLength = 2;

/** Asks who decides and why: to accept a finding for exactly these bytes, or to take that back. */
export function WaiveDialog(props: {
  readonly mode: 'waive' | 'take-back';
  readonly subject: WaiverSubject;
  readonly onDecide: (decision: { name: string; reason: string }) => Promise<void>;
  readonly onClose: () => void;
}) {
  const { mode, subject, onDecide, onClose } = props;
  const { rule, title, fileName, sha256, productId, version } = subject;
  const person = useStudio((state) => state.settings?.person ?? '');
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const missing = minReasonLength - reason.trim().length;
  const isReady = missing <= 0 && name.trim().length >= minNameLength && !busy;
  const isWaiving = mode === 'waive';
  const isOwn = isWaiving && person !== '' && name.trim() !== '' && isSamePerson(name, person);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    setBusy(true);
    setProblem(null);
    try {
      await onDecide({ name: name.trim(), reason: reason.trim() });
      onClose();
    } catch (error) {
      setProblem(toProblem(error));
      setBusy(false);
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      size={560}
      title={isWaiving ? `Waive: ${title}` : `Take back the waiver: ${title}`}
    >
      <form onSubmit={(event) => void submit(event)} data-testid="waive-dialog">
        <Stack gap="sm">
          <Text>
            Rule <code>{rule}</code>, file “{fileName}”, SHA-256 <HashText hash={sha256} />,{' '}
            {productId} {version}.
          </Text>
          <Text>
            {isWaiving
              ? 'The waiver is bound to exactly these bytes in this version: when one byte changes, it is void. It is kept with the release and shown in the evidence.'
              : 'The finding counts again. The waiver stays in the record, with who took it back and why.'}
          </Text>
          <Textarea
            label="Reason"
            required
            autosize
            minRows={3}
            data-autofocus
            value={reason}
            description={
              missing > 0
                ? `Say why, for who reads the record later: at least ${minReasonLength} characters`
                : 'Who reads the record later sees this'
            }
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <TextInput
            label="Your name"
            required
            value={name}
            description={
              isOwn
                ? 'Packages are made here under this name: a waiver by the same person opens no gate, another one has to give it'
                : isWaiving
                  ? 'Another person than who makes the package'
                  : undefined
            }
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {problem && <ProblemAlert problem={problem} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!isReady} data-testid="waive-submit">
              {isWaiving ? 'Waive' : 'Take back'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
