import { Button, Kbd, Select, Text, Tooltip } from '@mantine/core';
import { ArrowRight, Search } from 'lucide-react';
import { useReleaseLine } from '../stores/use-release-line.ts';
import { useRelease, useStudio } from '../stores/studio.ts';
import { nextStep } from '../stores/release-line.ts';
import { StageBadge } from '../widgets/stage-badge.tsx';
import { keyText } from './key-text.ts';
import classes from './top-bar.module.css';
import { views } from './views.ts';

/** Workspace, the release that every view works on, and what it needs next. */
export function TopBar({ onPalette }: { readonly onPalette: () => void }) {
  const info = useStudio((state) => state.info);
  const releases = useStudio((state) => state.releases);
  const selectRelease = useStudio((state) => state.selectRelease);
  const chosen = useRelease();
  return (
    <header className={classes.bar} data-region>
      <Tooltip label={info?.workspace.path ?? 'Opening the workspace'}>
        <Text fw={600} truncate className={classes.name}>
          {info?.workspace.name ?? 'Slipway'}
        </Text>
      </Tooltip>
      <Select
        aria-label="Release"
        className={classes.release}
        placeholder="No release yet"
        searchable
        disabled={releases.length === 0}
        nothingFoundMessage="No such release"
        data={releases.map((release) => ({
          value: release.id,
          label: `${release.productId} ${release.version}`,
        }))}
        value={chosen?.release.id ?? null}
        allowDeselect={false}
        onChange={selectRelease}
        data-testid="release-select"
      />
      {chosen && (
        <span className={classes.extra}>
          <StageBadge stage={chosen.release.stage} />
        </span>
      )}
      {chosen && <NextStepButton />}
      <Tooltip label="Find a command, a view or a release">
        <Button
          className={classes.palette}
          variant="default"
          leftSection={<Search size={14} aria-hidden />}
          rightSection={
            <Kbd size="xs" className={classes.extra}>
              {keyText('K')}
            </Kbd>
          }
          onClick={onPalette}
          data-testid="open-palette"
        >
          Commands
        </Button>
      </Tooltip>
    </header>
  );
}

function NextStepButton() {
  const openView = useStudio((state) => state.openView);
  const step = nextStep(useReleaseLine(useRelease()));
  if (!step) return null;
  return (
    <Tooltip label={`${step.action}. ${views[step.view].title}: ${step.why}`}>
      <Button
        variant="subtle"
        rightSection={<ArrowRight size={14} aria-hidden />}
        onClick={() => openView(step.view)}
        data-testid="next-step"
      >
        Next: {step.action}
      </Button>
    </Tooltip>
  );
}
