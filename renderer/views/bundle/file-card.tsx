import { ActionIcon, Text, Tooltip } from '@mantine/core';
import { X } from 'lucide-react';
import type { FileSoFar, InspectedFile } from '../../../shared/domain/finding.ts';
import { roleOfFormat } from '../../../shared/domain/file-role.ts';
import { FindingList } from '../../widgets/finding-list.tsx';
import { fileVerdict } from '../../widgets/finding-groups.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { Bytes, ClippedText } from '../../widgets/value-text.tsx';
import { VerdictBadge } from '../../widgets/verdict-badge.tsx';
import classes from './file-card.module.css';

/** One file: what it is, and what was found in it, as far as that is known. */
export function FileCard(props: {
  readonly file: InspectedFile | FileSoFar;
  /** Whether the check has come to its end, is going on, or was stopped. */
  readonly state: 'checked' | 'checking' | 'stopped';
  readonly onRemove?: () => void;
}) {
  const { file, state, onRemove } = props;
  const headText = 'headText' in file ? file.headText : null;
  return (
    <article
      className={classes.card}
      aria-label={file.name}
      aria-busy={state === 'checking'}
      data-testid={state === 'checked' ? 'file-card' : 'file-so-far'}
    >
      <div className={classes.head}>
        <FileBadge file={file} state={state} />
        <div className={classes.name}>
          <ClippedText text={file.name} />
        </div>
        {onRemove && (
          <Tooltip label="Take the file out of the package">
            <ActionIcon aria-label={`Remove ${file.name}`} onClick={onRemove}>
              <X size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <div className={classes.facts}>
        <Text c="dimmed">Role {roleOfFormat(file.format)}</Text>
        <Text c="dimmed">Format {file.format}</Text>
        <Text c="dimmed" component="span">
          <Bytes value={file.sizeBytes} />
        </Text>
        {file.sha256 !== null && (
          <Text c="dimmed" component="span">
            SHA-256 <HashText hash={file.sha256} />
          </Text>
        )}
        {headText !== null && (
          <Text c="dimmed" component="span" className={classes.headText}>
            Header: {headText}
          </Text>
        )}
      </div>
      <FindingList findings={file.findings} />
    </article>
  );
}

/** A file that is still being read has no verdict, unless it is blocked by what is known already. */
function FileBadge({ file, state }: Pick<Parameters<typeof FileCard>[0], 'file' | 'state'>) {
  const verdict = fileVerdict(file);
  if (state === 'checked' || verdict === 'block') return <VerdictBadge verdict={verdict} />;
  if (state === 'stopped') return <VerdictBadge verdict="could-not-check" />;
  return <ToneBadge tone="busy" word={file.sha256 === null ? 'Reading' : 'Read'} />;
}
