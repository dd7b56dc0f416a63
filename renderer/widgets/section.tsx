import { Group, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import classes from './section.module.css';

/** A framed part of a view with its title, its actions at the right and its content. */
export function Section(props: {
  readonly title: string;
  readonly actions?: ReactNode;
  /** Content without inner padding, for grids that reach the frame. */
  readonly flush?: boolean;
  /** Takes the height that is left and lets its content scroll. */
  readonly fill?: boolean;
  readonly children: ReactNode;
  readonly testId?: string;
}) {
  const titleId = useId();
  return (
    <section
      className={classes.section}
      aria-labelledby={titleId}
      data-fill={props.fill || undefined}
      data-testid={props.testId}
    >
      <Group className={classes.head} justify="space-between" wrap="nowrap" gap="sm">
        <Title order={2} size="h3" id={titleId} className={classes.title} title={props.title}>
          {props.title}
        </Title>
        <Group gap="xs" wrap="nowrap" justify="flex-end" style={{ flexShrink: 0 }}>
          {props.actions}
        </Group>
      </Group>
      <div className={classes.body} data-flush={props.flush || undefined}>
        {props.children}
      </div>
    </section>
  );
}
