import { Kbd } from '@mantine/core';
import { keyText } from '../../app/key-text.ts';
import { views } from '../../app/views.ts';
import { viewNames } from '../../stores/studio.ts';
import { Section } from '../../widgets/section.tsx';
import classes from './settings-view.module.css';

const shortcuts: readonly (readonly [what: string, keys: string])[] = [
  ...viewNames.map((name) => [views[name].title, keyText(views[name].key)] as const),
  ['Find a command, a view or a release', keyText('K')],
  ['Open or fold the dock', keyText('J')],
  ['Next part of the window', 'F6'],
  ['Part of the window before', 'Shift+F6'],
  ['Move in a table', '↑ ↓ PgUp PgDn Home End'],
  ['Open the row of a table', 'Enter'],
  ['Next change, change before, in a comparison', 'n p, F7 Shift+F7'],
  ['Go to an address of a comparison', 'g'],
  ['Larger, smaller, normal size', `${keyText('+')} ${keyText('-')} ${keyText('0')}`],
];

/** Every keyboard shortcut of the window. */
export function ShortcutsSection() {
  return (
    <Section title="Keyboard shortcuts">
      <dl className={classes.keys}>
        {shortcuts.map(([what, keys]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              <Kbd size="xs">{keys}</Kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
