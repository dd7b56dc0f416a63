import { Button, Stack } from '@mantine/core';
import { ArrowRight } from 'lucide-react';
import type { Gate, PlanCheck } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { useStudio, type ViewName } from '../../stores/studio.ts';
import { DetailLines } from '../../widgets/detail-lines.tsx';
import { ReasonLine } from '../../widgets/reason-line.tsx';

/** Where the work is done that opens a gate, by the gate's id. */
const rooms: Readonly<Record<string, { readonly view: ViewName; readonly action: string }>> = {
  findings: { view: 'bundle', action: 'Look at the findings' },
  deltas: { view: 'delta', action: 'Make the delta' },
  bench: { view: 'bench', action: 'Flash and check a board' },
};

/** The gates of a plan: each with why it passed, or why it is closed and where that is mended. */
export function GateList({ check }: { readonly check: PlanCheck }) {
  return (
    <Stack gap="xs" component="ul" m={0} p={0} aria-label="Gates">
      {check.gates.map((gate) => (
        <li
          key={gate.id}
          data-gate={gate.id}
          data-passed={gate.passed}
          style={{ listStyle: 'none' }}
        >
          <ReasonLine
            tone={gate.passed ? 'good' : 'bad'}
            title={`${gate.title}: ${gate.passed ? 'passed' : 'closed'}`}
            why={gate.why}
          >
            {gate.details && <DetailLines summary="Which runs count" lines={gate.details} />}
            {!gate.passed && <WayOut gate={gate} check={check} />}
          </ReasonLine>
        </li>
      ))}
    </Stack>
  );
}

function WayOut({ gate, check }: { readonly gate: Gate; readonly check: PlanCheck }) {
  const openView = useStudio((state) => state.openView);
  const openTab = useRollout((state) => state.openTab);
  const room = rooms[gate.id];
  if (room) return <GoButton action={room.action} onGo={() => openView(room.view)} />;
  const reachesNobody = check.scope.full + check.scope.delta === 0;
  if (gate.id !== 'scope' || !reachesNobody) return null;
  return <GoButton action="Look at the devices" onGo={() => openTab('devices')} />;
}

function GoButton(props: { readonly action: string; readonly onGo: () => void }) {
  return (
    <Button
      variant="light"
      size="compact-xs"
      mt={4}
      rightSection={<ArrowRight size={13} aria-hidden />}
      onClick={props.onGo}
    >
      {props.action}
    </Button>
  );
}
