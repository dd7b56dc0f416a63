import { Modal, Text } from '@mantine/core';
import { isSamePerson } from '../../../shared/domain/person.ts';
import { useStudio } from '../../stores/studio.ts';
import { DecisionForm } from '../../widgets/decision-form.tsx';
import { HashText } from '../../widgets/hash-text.tsx';

/** What a waiver is given for. */
export interface WaiverSubject {
  readonly rule: string;
  readonly title: string;
  readonly fileName: string;
  readonly sha256: string;
  readonly productId: string;
  readonly version: string;
}

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
  const isWaiving = mode === 'waive';
  const nameHint = (name: string): string | undefined => {
    const isOwn = person !== '' && name.trim() !== '' && isSamePerson(name, person);
    if (!isWaiving) return undefined;
    return isOwn
      ? 'Packages are made here under this name: a waiver by the same person opens no gate, another one has to give it'
      : 'Another person than who makes the package';
  };

  return (
    <Modal
      opened
      onClose={onClose}
      size={560}
      title={isWaiving ? `Waive: ${title}` : `Take back the waiver: ${title}`}
    >
      <DecisionForm
        submitWord={isWaiving ? 'Waive' : 'Take back'}
        nameHint={nameHint}
        onDecide={onDecide}
        onClose={onClose}
        testId="waive"
      >
        <Text>
          Rule <code>{rule}</code>, file “{fileName}”, SHA-256 <HashText hash={sha256} />,{' '}
          {productId} {version}.
        </Text>
        <Text>
          {isWaiving
            ? 'The waiver is bound to exactly these bytes in this version: when one byte changes, it is void. It is kept with the release and shown in the evidence.'
            : 'The finding counts again. The waiver stays in the record, with who took it back and why.'}
        </Text>
      </DecisionForm>
    </Modal>
  );
}
