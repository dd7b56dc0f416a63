import { Button } from '@mantine/core';
import { Layers } from 'lucide-react';
import { useStudio } from '../stores/studio.ts';
import { EmptyState } from './empty-state.tsx';

/** Shown by the views that work on a release while there is none. */
export function NoRelease() {
  const openView = useStudio((state) => state.openView);
  return (
    <EmptyState
      icon={Layers}
      sentence="This view works on a release, and there is none yet."
      action={<Button onClick={() => openView('releases')}>Go to releases</Button>}
    />
  );
}
