import { Button, Text } from '@mantine/core';
import { FileInput as FileIcon } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { grantFiles, type PickedFile, pickFiles } from '../rpc/client.ts';
import { useStudio } from '../stores/studio.ts';
import classes from './file-drop.module.css';

interface FileDropProps {
  /** What a drop does, for example `Add to the STM32 package of SENSOR-1 1.1.0`. */
  readonly outcome: string;
  /** What is accepted, for example `Up to 5 files, 100 MB each`. */
  readonly limits: string;
  readonly multiple: boolean;
  /** Takes what is dropped anywhere on the window; at most one of a view. */
  readonly wide?: boolean;
  /** Title of the system's dialog. */
  readonly pickTitle: string;
  readonly pickLabel?: string;
  readonly disabled?: boolean;
  readonly onFiles: (files: readonly PickedFile[]) => void;
  readonly testId?: string;
}

const carriesFiles = (event: DragEvent): boolean =>
  event.dataTransfer?.types.includes('Files') === true;

/** A place to drop files on, with a button that does the same; both say what will happen. */
export function FileDrop(props: FileDropProps) {
  const act = useStudio((state) => state.act);
  const [over, setOver] = useState(false);
  const zone = useRef<HTMLDivElement>(null);
  const { multiple, onFiles, wide } = props;
  const enabled = props.disabled !== true;

  const take = useCallback(
    (work: () => Promise<readonly PickedFile[]>) =>
      void act(async () => {
        const files = await work();
        if (files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
      }),
    [act, multiple, onFiles],
  );
  useEffect(() => {
    const place = wide ? document.documentElement : zone.current;
    if (!place) return undefined;
    const onDragOver = (event: DragEvent): void => {
      if (!carriesFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = enabled ? 'copy' : 'none';
      setOver(enabled);
    };
    const onDragLeave = (event: DragEvent): void => {
      const into = event.relatedTarget;
      if (!(into instanceof Node && place.contains(into))) setOver(false);
    };
    const onDrop = (event: DragEvent): void => {
      event.preventDefault();
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (enabled && files.length > 0) take(() => grantFiles(files));
    };
    place.addEventListener('dragover', onDragOver);
    place.addEventListener('dragleave', onDragLeave);
    place.addEventListener('drop', onDrop);
    return () => {
      place.removeEventListener('dragover', onDragOver);
      place.removeEventListener('dragleave', onDragLeave);
      place.removeEventListener('drop', onDrop);
    };
  }, [wide, enabled, take]);

  return (
    <div
      ref={zone}
      className={classes.zone}
      data-over={over || undefined}
      data-testid={props.testId}
    >
      <FileIcon size={20} aria-hidden />
      <div className={classes.words}>
        <Text fw={500}>{over ? `Drop: ${props.outcome}` : props.outcome}</Text>
        <Text size="xs" c="dimmed">
          {props.limits}
        </Text>
      </div>
      <Button
        variant="default"
        disabled={!enabled}
        onClick={() => take(() => pickFiles({ multiple, title: props.pickTitle }))}
        data-testid={props.testId && `${props.testId}-pick`}
      >
        {props.pickLabel ?? 'Choose files…'}
      </Button>
    </div>
  );
}
