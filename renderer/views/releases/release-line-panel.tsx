import { Button, Text } from '@mantine/core';
import { Waypoints } from 'lucide-react';
import { type LineStep, nextStep } from '../../stores/release-line.ts';
import { useRelease, useStudio } from '../../stores/studio.ts';
import { useReleaseLine } from '../../stores/use-release-line.ts';
import { useVerifications } from '../../stores/use-verifications.ts';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Section } from '../../widgets/section.tsx';
import { type Tone, ToneIcon } from '../../widgets/tone-badge.tsx';
import { VerificationList } from '../../widgets/verification-list.tsx';
import classes from './release-line-panel.module.css';

const looks: Record<LineStep['state'], { readonly tone: Tone; readonly word: string }> = {
  done: { tone: 'good', word: 'Done' },
  open: { tone: 'todo', word: 'To do' },
  running: { tone: 'busy', word: 'Running' },
  blocked: { tone: 'bad', word: 'Stopped' },
  later: { tone: 'neutral', word: 'Later' },
  'not-needed': { tone: 'neutral', word: 'Not needed' },
};

/** The way of the chosen release through the rooms, with a button to each. */
export function ReleaseLinePanel() {
  const chosen = useRelease();
  const line = useReleaseLine(chosen);
  const openView = useStudio((state) => state.openView);
  const next = nextStep(line);
  if (!chosen) {
    return (
      <Section title="Next steps">
        <EmptyState icon={Waypoints} sentence="Choose a release to see where it stands." />
      </Section>
    );
  }
  return (
    <Section title={`${chosen.product.id} ${chosen.release.version}`} testId="release-line">
      <ol className={classes.steps}>
        {line.map((step) => (
          <li key={step.view} data-state={step.state}>
            <ToneIcon tone={looks[step.state].tone} />
            <div className={classes.words}>
              <Text fw={600}>
                {step.title}: {looks[step.state].word.toLowerCase()}
              </Text>
              <Text size="xs" c="dimmed">
                {step.why}
              </Text>
              {step === next && (
                <Button mt={6} onClick={() => openView(step.view)} data-testid="line-next">
                  {step.action}
                </Button>
              )}
            </div>
            {step !== next && (
              <Button
                variant="subtle"
                size="compact-xs"
                aria-label={`Open ${step.title}`}
                onClick={() => openView(step.view)}
              >
                Open
              </Button>
            )}
          </li>
        ))}
      </ol>
      <Tried releaseId={chosen.release.id} />
    </Section>
  );
}

/** What came of trying packages of the release on one device each; nothing when none was tried. */
function Tried({ releaseId }: { readonly releaseId: string }) {
  const isCloudRunning = useStudio((state) => state.cloud?.running ?? false);
  const { tried, problem } = useVerifications(releaseId, isCloudRunning);
  if (problem) return <ProblemAlert problem={problem} />;
  if (tried.length === 0) return null;
  return (
    <div className={classes.tried} data-testid="release-verifications">
      <Text fw={600} mb={6}>
        Verified on one device
      </Text>
      <VerificationList tried={tried} />
    </div>
  );
}
