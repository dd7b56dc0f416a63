import '@mantine/spotlight/styles.css';
import { Spotlight, type SpotlightActionGroupData, spotlight } from '@mantine/spotlight';
import { Layers, PanelBottom, ScrollText, Search } from 'lucide-react';
import { useEffect } from 'react';
import { useDock } from '../stores/dock.ts';
import { useStudio, viewNames } from '../stores/studio.ts';
import { stageWords } from '../widgets/stage-badge.tsx';
import { keyText } from './key-text.ts';
import classes from './palette.module.css';
import { views } from './views.ts';

/** The command palette: views, releases and the dock by name. It opens whenever `requests` grows. */
export function Palette({ requests }: { readonly requests: number }) {
  const releases = useStudio((state) => state.releases);
  const openView = useStudio((state) => state.openView);
  const selectRelease = useStudio((state) => state.selectRelease);
  const show = useDock((state) => state.show);
  useEffect(() => {
    if (requests > 0) spotlight.open();
  }, [requests]);
  const groups: SpotlightActionGroupData[] = [
    {
      group: 'Views',
      actions: viewNames.map((name) => {
        const { title, about, icon: Icon, key } = views[name];
        return {
          id: `view-${name}`,
          label: title,
          description: `${about} (${keyText(key)})`,
          leftSection: <Icon size={18} aria-hidden />,
          onClick: () => openView(name),
        };
      }),
    },
    {
      group: 'Releases',
      actions: releases.map((release) => ({
        id: `release-${release.id}`,
        label: `${release.productId} ${release.version}`,
        description: `Work on this release: ${stageWords[release.stage]}`,
        leftSection: <Layers size={18} aria-hidden />,
        onClick: () => selectRelease(release.id),
      })),
    },
    {
      group: 'Dock',
      actions: [
        {
          id: 'show-jobs',
          label: 'Show jobs',
          leftSection: <PanelBottom size={18} aria-hidden />,
          onClick: () => show('jobs'),
        },
        {
          id: 'show-log',
          label: 'Show log',
          leftSection: <ScrollText size={18} aria-hidden />,
          onClick: () => show('log'),
        },
      ],
    },
  ];
  return (
    <Spotlight
      actions={groups}
      shortcut={null}
      attributes={{ content: { 'aria-label': 'Commands' } }}
      classNames={{ actionDescription: classes.description }}
      scrollable
      maxHeight={420}
      limit={30}
      nothingFound="Nothing has this name"
      searchProps={{
        size: 'md',
        'aria-label': 'Find a command, a view or a release',
        placeholder: 'Find a command, a view or a release',
        leftSection: <Search size={16} aria-hidden />,
      }}
    />
  );
}
