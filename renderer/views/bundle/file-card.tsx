import { ActionIcon, Button, Text, Tooltip } from '@mantine/core';
import { X } from 'lucide-react';
import type { FileSoFar, InspectedFile } from '../../../shared/domain/finding.ts';
import { roleOfFormat } from '../../../shared/domain/file-role.ts';
import type { BundleTarget } from '../../stores/bundle-drafts.ts';
import { FindingList } from '../../widgets/finding-list.tsx';
import { fileVerdict } from '../../widgets/finding-groups.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { Bytes, ClippedText } from '../../widgets/value-text.tsx';
import { VerdictBadge } from '../../widgets/verdict-badge.tsx';
import classes from './file-card.module.css';
import { FileFindings } from './file-findings.tsx';

/** One file: what it is, and what was found in it, as far as that is known. */
export function FileCard(props: {
  readonly file: InspectedFile | FileSoFar;
  /** Whether the check has come to its end, is going on, or was stopped. */
  readonly state: 'checked' | 'checking' | 'stopped';
  /** What the file is to be part of. */
  readonly target: Pick<BundleTarget, 'productId' | 'version'>;
  readonly onRemove?: () => void;
  /** Opens the form that describes the format of a file whose inside nobody could check. */
  readonly onDescribe?: () => void;
}) {
  const { file, state, onRemove } = props;
  const isOpaque = file.findings.some(({ rule }) => rule === 'file.opaque');
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
        {props.onDescribe && isOpaque && (
          <Button variant="subtle" size="compact-xs" onClick={props.onDescribe}>
            Describe this format…
          </Button>
        )}
        {headText !== null && (
          <Text c="dimmed" component="span" className={classes.headText}>
            Header: {headText}
          </Text>
        )}
      </div>
      {file.sha256 !== null && state === 'checked' ? (
        <FileFindings
          file={{ ...file, sha256: file.sha256 }}
          productId={props.target.productId}
          version={props.target.version}
        />
      ) : (
        <FindingList findings={file.findings} />
      )}
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
