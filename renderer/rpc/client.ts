import type { Answer, Input, Method, Output, StudioEvent } from '../../shared/contract/contract.ts';
import { ProblemError } from '../../shared/domain/problem.ts';

/** A file the user picked: a handle, never a path. */
export interface PickedFile {
  readonly handle: string;
  readonly name: string;
  readonly sizeBytes: number;
}

declare global {
  interface Window {
    /** The preload's door to the engine. */
    readonly slipway: {
      call(method: string, input: unknown): Promise<Answer<unknown>>;
      subscribe(listener: (event: StudioEvent) => void): () => void;
      grantFiles(files: File[]): Promise<PickedFile[]>;
      pickFiles(options: { multiple: boolean; title: string }): Promise<PickedFile[]>;
    };
  }
}

/** Calls the engine. @throws ProblemError what the engine answered */
export async function call<M extends Method>(method: M, input: Input<M>): Promise<Output<M>> {
  const answer = await window.slipway.call(method, input);
  if (!answer.ok) throw new ProblemError(answer.error);
  return answer.value as Output<M>;
}
