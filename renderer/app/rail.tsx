import { Tooltip, UnstyledButton } from '@mantine/core';
import { useStudio, type ViewName, viewNames } from '../stores/studio.ts';
import { keyText } from './key-text.ts';
import classes from './rail.module.css';
import { views } from './views.ts';

/** The rooms of the release line at the left edge, settings below. */
export function Rail() {
  return (
    <nav className={classes.rail} aria-label="Views" data-region>
      {viewNames.map((name) => (
        <RailButton key={name} name={name} />
      ))}
    </nav>
  );
}

function RailButton({ name }: { readonly name: ViewName }) {
  const current = useStudio((state) => state.view === name);
  const openView = useStudio((state) => state.openView);
  const { title, about, icon: Icon, key } = views[name];
  return (
    <Tooltip label={`${about} (${keyText(key)})`} position="right">
      <UnstyledButton
        className={classes.button}
        data-bottom={name === 'settings' || undefined}
        aria-current={current ? 'page' : undefined}
        aria-keyshortcuts={`Control+${key}`}
        onClick={() => openView(name)}
        data-testid={`view-${name}`}
      >
        <Icon size={20} strokeWidth={1.75} aria-hidden />
        {title}
      </UnstyledButton>
    </Tooltip>
  );
}
