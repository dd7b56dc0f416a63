import { Button } from '@mantine/core';
import { useStudio } from '../../stores/studio.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { Section } from '../../widgets/section.tsx';
import { useCopy } from '../../widgets/use-copy.ts';

const partVersion = (name: string): string =>
  new RegExp(`${name}/(\\S+)`).exec(navigator.userAgent)?.[1] ?? 'unknown';

/** Workspace, version and the parts that the window runs on. */
export function AboutSection() {
  const info = useStudio((state) => state.info);
  const { state, copy } = useCopy();
  const facts = [
    ['Workspace', info?.workspace.name ?? ''],
    ['Folder', info?.workspace.path ?? ''],
    ['Slipway', info?.version ?? ''],
    ['Electron', partVersion('Electron')],
    ['Chromium', partVersion('Chrome')],
    ['Licence', 'MIT'],
  ] as const;
  const words = { idle: 'Copy', copied: 'Copied', refused: 'Refused' };
  return (
    <Section
      title="Workspace and version"
      actions={
        <Button
          variant="default"
          size="compact-xs"
          onClick={() => copy(facts.map(([name, value]) => `${name}: ${value}`).join('\n'))}
        >
          {words[state]}
        </Button>
      }
    >
      <FactList facts={facts} />
    </Section>
  );
}
