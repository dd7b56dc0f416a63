import { ActionIcon, Text, Tooltip } from '@mantine/core';
import { X } from 'lucide-react';
import type { InspectedFile } from '../../../shared/domain/finding.ts';
import { roleOfFormat } from '../../../shared/domain/file-role.ts';
import { FindingList } from '../../widgets/finding-list.tsx';
import { fileVerdict } from '../../widgets/finding-groups.ts';
import { HashText } from '../../widgets/hash-text.tsx';
import { Bytes, ClippedText } from '../../widgets/value-text.tsx';
import { VerdictBadge } from '../../widgets/verdict-badge.tsx';
import classes from './file-card.module.css';

/** One checked file: what it is, and what was found in it. */
export function FileCard(props: { readonly file: InspectedFile; readonly onRemove: () => void }) {
  const { file } = props;
  return (
    <article className={classes.card} aria-label={file.name} data-testid="file-card">
      <div className={classes.head}>
        <VerdictBadge verdict={fileVerdict(file)} />
        <div className={classes.name}>
          <ClippedText text={file.name} />
        </div>
        <Tooltip label="Take the file out of the package">
          <ActionIcon aria-label={`Remove ${file.name}`} onClick={props.onRemove}>
            <X size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      <div className={classes.facts}>
        <Text c="dimmed">Role {roleOfFormat(file.format)}</Text>
        <Text c="dimmed">Format {file.format}</Text>
        <Text c="dimmed" component="span">
          <Bytes value={file.sizeBytes} />
        </Text>
        <Text c="dimmed" component="span">
          SHA-256 <HashText hash={file.sha256} />
        </Text>
      </div>
      <FindingList findings={file.findings} />
    </article>
  );
}
