/** An error as a value: what crosses every boundary (IPC, CLI, worker) instead of an exception. */
export interface Problem {
  /** Stable kebab-case identifier, for example `port-lost`. */
  readonly code: string;
  readonly title: string;
  /** What is wrong and where (file, offset, field). */
  readonly detail: string;
  /** What the user can do. */
  readonly hint: string;
  /** Which CLI exit code it maps to: 1 gate, 2 usage, 3 I/O or network, 4 internal. */
  readonly kind: 'gate' | 'usage' | 'io' | 'internal';
}

/** The only exception class that services throw on purpose; routers turn it into its `problem`. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem, options?: ErrorOptions) {
    super(`${problem.title}: ${problem.detail}`, options);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** Builds a {@link ProblemError}; `kind` defaults to `io`. */
export function problem(
  code: string,
  title: string,
  detail: string,
  hint: string,
  kind: Problem['kind'] = 'io',
): ProblemError {
  return new ProblemError({ code, title, detail, hint, kind });
}

/** Turns anything thrown into a {@link Problem}; unknown errors become `internal`. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof Error && error.name === 'AbortError') {
    return {
      code: 'cancelled',
      title: 'Cancelled',
      detail: 'The work was cancelled.',
      hint: 'Start it again when you are ready.',
      kind: 'io',
    };
  }
  const systemCode = (error as NodeJS.ErrnoException | undefined)?.code;
  const detail = error instanceof Error ? error.message : String(error);
  if (systemCode === 'ENOSPC' || systemCode === 'EDQUOT') {
    return {
      code: 'disk-full',
      title: 'The disk is full',
      detail,
      hint: 'Free some space and try again; nothing was changed.',
      kind: 'io',
    };
  }
  if (systemCode === 'ENOENT') {
    return {
      code: 'file-not-found',
      title: 'File not found',
      detail,
      hint: 'Check the path.',
      kind: 'io',
    };
  }
  if (systemCode === 'EACCES' || systemCode === 'EPERM') {
    return {
      code: 'no-permission',
      title: 'No permission',
      detail,
      hint: 'Check the permissions of the file or folder.',
      kind: 'io',
    };
  }
  return {
    code: 'internal',
    title: 'Unexpected error',
    detail,
    hint: 'Copy the details from the log and report them.',
    kind: 'internal',
  };
}
