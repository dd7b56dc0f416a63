import { type ComponentProps, useEffect } from 'react';
import { useOperator } from '../../stores/operator.ts';
import { DecisionForm } from '../../widgets/decision-form.tsx';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';

/** A decision about a rollout, under the name of the account; where the cloud has none, the name is typed. */
export function OperatorDecision(props: Omit<ComponentProps<typeof DecisionForm>, 'account'>) {
  const { operator, problem, refresh } = useOperator();
  useEffect(() => void refresh(), [refresh]);
  if (problem) return <ProblemAlert problem={problem} />;
  if (!operator) return <LoadingLines label="Asking who is signed in" />;
  const { typesName, name } = operator;
  return <DecisionForm {...props} {...(typesName ? {} : { account: name })} />;
}
