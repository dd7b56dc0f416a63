import type { Answer, Input, Method, Output, StudioEvent } from '../../shared/contract/contract.ts';
import { ProblemError } from '../../shared/domain/problem.ts';

/** A file the user picked: a handle, never a path. */
export interface PickedFile {
  readonly handle: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** How the file dialog opens. */
export interface PickOptions {
  readonly multiple: boolean;
  readonly title: string;
}

/** Where the user wants a file to be written: a handle for one write, never a path. */
export interface SaveTarget {
  readonly handle: string;
  readonly name: string;
}

/** How the save dialog opens. */
export interface SaveOptions {
  readonly title: string;
  readonly suggestedName: string;
}

declare global {
  interface Window {
    /** The preload's door to the engine. */
    readonly slipway: {
      call(method: string, input: unknown): Promise<Answer<unknown>>;
      subscribe(listener: (event: StudioEvent) => void): () => void;
      grantFiles(files: readonly File[]): Promise<Answer<PickedFile[]>>;
      pickFiles(options: PickOptions): Promise<Answer<PickedFile[]>>;
      pickTarget(options: SaveOptions): Promise<Answer<SaveTarget | null>>;
    };
  }
}

/** Calls the engine. @throws ProblemError what the engine answered */
export async function call<M extends Method>(method: M, input: Input<M>): Promise<Output<M>> {
  return valueOf(await window.slipway.call(method, input)) as Output<M>;
}

/** Lets the user pick files in the system's dialog; none when it was closed. @throws ProblemError */
export async function pickFiles(options: PickOptions): Promise<PickedFile[]> {
  return valueOf(await window.slipway.pickFiles(options));
}

/** Lets the user choose where to write a file; null when the dialog was closed. @throws ProblemError */
export async function pickTarget(options: SaveOptions): Promise<SaveTarget | null> {
  return valueOf(await window.slipway.pickTarget(options));
}

/** Turns dropped files into handles. @throws ProblemError `not-a-file` for a folder or a vanished file */
export async function grantFiles(files: readonly File[]): Promise<PickedFile[]> {
  return valueOf(await window.slipway.grantFiles(files));
}

function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new ProblemError(answer.error);
  return answer.value;
}
