import { Textarea, type TextareaProps } from '@mantine/core';
import type { ClipboardEvent, DragEvent } from 'react';

/** From this length on a paste is put in place by the page: the browser's own takes minutes for 10,000 lines. */
const largePasteChars = 4000;

/** A text area for lists of thousands of lines, which may be typed, pasted, or dropped as a text file. */
export function LinesInput(
  props: Omit<TextareaProps, 'value' | 'onChange' | 'onPaste' | 'onDrop'> & {
    readonly text: string;
    readonly onText: (text: string) => void;
    /** Takes a dropped file; without it files cannot be dropped here. */
    readonly onFile?: (file: File) => void;
    readonly 'data-testid'?: string;
  },
) {
  const { text, onText, onFile, ...rest } = props;
  const paste = (event: ClipboardEvent<HTMLTextAreaElement>): void => {
    const pasted = event.clipboardData.getData('text/plain');
    if (pasted.length < largePasteChars) return;
    event.preventDefault();
    const { selectionStart, selectionEnd } = event.currentTarget;
    onText(text.slice(0, selectionStart) + pasted + text.slice(selectionEnd));
  };
  const drop = (event: DragEvent<HTMLTextAreaElement>): void => {
    const [file] = event.dataTransfer.files;
    if (!file || !onFile) return;
    event.preventDefault();
    onFile(file);
  };
  return (
    <Textarea
      {...rest}
      spellCheck={false}
      autosize={false}
      value={text}
      onChange={(event) => onText(event.currentTarget.value)}
      onPaste={paste}
      onDrop={drop}
      onDragOver={(event) => {
        if (!onFile || !event.dataTransfer.types.includes('Files')) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy';
      }}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
    />
  );
}
