import { ProblemError } from '../../../shared/domain/problem.ts';
import type { Repair } from './repairs.ts';

/** A reader that is fed with mutated bytes. */
export interface FuzzSubject {
  readonly name: string;
  /** Sound content: mutations begin with it. */
  readonly seeds: readonly Uint8Array[];
  readonly repair?: Repair;
  /** Part of the cases that are run, for a reader that starts a thread or writes a file for each. */
  readonly share?: number;
  /** Milliseconds that a case may take, when not the usual ones. */
  readonly budgetMs?: number;
  /** Memory that the process may grow by, when not the usual one. */
  readonly budgetBytes?: number;
  /** Reads the bytes; resolves with what was told, and rejects only when the reader is wrong. */
  readonly read: (bytes: Buffer) => Promise<readonly string[]> | readonly string[];
}

/** What a reader that throws what it has to say came to; an error that it must not throw passes on. */
export function outcome(
  read: () => string | undefined,
  isExpected: (error: unknown) => boolean,
): string {
  try {
    return read() ?? 'whole';
  } catch (error) {
    if (!isExpected(error)) throw error;
    if (error instanceof ProblemError) return error.problem.code;
    return error instanceof Error ? error.message : String(error);
  }
}
