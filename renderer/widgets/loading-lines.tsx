import { Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import classes from './loading-lines.module.css';

/** Grey lines where content will be; they appear after 150 ms, so that quick loads do not flicker. */
export function LoadingLines(props: { readonly label: string; readonly lines?: number }) {
  return (
    <Stack className={classes.late} gap={8} p="sm" role="status">
      <VisuallyHidden>{props.label}</VisuallyHidden>
      {Array.from({ length: props.lines ?? 4 }, (_line, index) => (
        <Skeleton key={index} height={14} width={`${92 - ((index * 17) % 45)}%`} />
      ))}
    </Stack>
  );
}
