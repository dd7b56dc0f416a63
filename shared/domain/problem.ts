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
  const systemCode = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  const message = error instanceof Error ? error.message : String(error);
  // SQLite's own texts do not say which of many troubles it was.
  const detail = systemCode.startsWith('SQLITE_') ? `${message} (${systemCode})` : message;
  const known = systemProblems.find(({ codes }) => codes.test(systemCode));
  if (known) return { ...known.problem, detail };
  return {
    code: 'internal',
    title: 'Unexpected error',
    detail,
    hint: 'Copy the details from the log and report them.',
    kind: 'internal',
  };
}

/** What the codes of the system and of SQLite mean; the first match counts. */
const systemProblems: readonly {
  readonly codes: RegExp;
  readonly problem: Omit<Problem, 'detail'>;
}[] = [
  {
    codes: /^(ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR_SHMSIZE)$/,
    problem: {
      code: 'disk-full',
      title: 'The disk is full',
      hint: 'Free some space and try again; nothing was changed.',
      kind: 'io',
    },
  },
  {
    codes: /^EFBIG$/,
    problem: {
      code: 'disk-limit',
      title: 'The disk does not take a file of this size',
      hint: 'Choose a disk or a file system with room for it; nothing was changed.',
      kind: 'io',
    },
  },
  {
    codes: /^ENOENT$/,
    problem: {
      code: 'file-not-found',
      title: 'File not found',
      hint: 'Check the path.',
      kind: 'io',
    },
  },
  {
    codes: /^(ENOTDIR|EEXIST)$/,
    problem: {
      code: 'not-a-folder',
      title: 'A part of the path is no folder',
      hint: 'Check the path.',
      kind: 'io',
    },
  },
  {
    codes: /^EISDIR$/,
    problem: {
      code: 'file-is-folder',
      title: 'This is a folder',
      hint: 'Choose a file.',
      kind: 'usage',
    },
  },
  {
    codes: /^(EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN)/,
    problem: {
      code: 'no-permission',
      title: 'No permission',
      hint: 'Check the permissions of the file or folder.',
      kind: 'io',
    },
  },
  {
    codes: /^SQLITE_BUSY/,
    problem: {
      code: 'workspace-busy',
      title: 'The workspace is busy',
      hint: 'Another window or command is writing; try again.',
      kind: 'io',
    },
  },
  {
    codes: /^(SQLITE_CORRUPT|SQLITE_NOTADB|SQLITE_IOERR)/,
    problem: {
      code: 'database-damaged',
      title: 'The database cannot be read or written',
      hint: 'Check the disk; put .slipway/slipway.db back from a backup if it is damaged.',
      kind: 'io',
    },
  },
];
