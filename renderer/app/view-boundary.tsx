import { Component, type ReactNode } from 'react';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { ProblemAlert } from '../widgets/problem-alert.tsx';

/** Keeps a view that cannot be drawn from taking the rest of the window with it. */
export class ViewBoundary extends Component<
  { readonly children: ReactNode },
  { readonly problem: Problem | null }
> {
  override state = { problem: null };

  static getDerivedStateFromError(error: unknown): { problem: Problem } {
    return { problem: toProblem(error) };
  }

  override render(): ReactNode {
    const { problem } = this.state;
    return problem === null ? this.props.children : <ProblemAlert problem={problem} />;
  }
}
