import type { BenchRun } from './bench.ts';
import type { BenchPolicy } from './bench-policy-schema.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** What the policy is asked about: one image, at one moment. */
interface BenchQuestion {
  readonly policy: BenchPolicy;
  readonly imageSha256: string;
  /** The release whose other images are told apart from this one. */
  readonly releaseId: string;
  readonly targetVersion: string;
  readonly runs: readonly BenchRun[];
  /** ISO 8601: the moment that ages are counted to. */
  readonly at: string;
}

/** Why a run does not count. */
export type NotCounted =
  | 'other-image'
  | 'later'
  | 'too-old'
  | 'failed'
  | 'not-verified'
  | 'not-booted'
  | 'other-version'
  | 'boot-loop'
  | 'virtual'
  | 'board-unknown'
  | 'revision-unknown'
  | 'revision-not-asked'
  | 'revision-changed'
  | 'same-board';

/** A run as the policy sees it. */
interface JudgedRun {
  readonly run: BenchRun;
  /** Null when it counts. */
  readonly reason: NotCounted | null;
  readonly why: string;
}

/** The boards that count for one hardware revision; null where the policy names none. */
export interface RevisionCount {
  readonly revision: string | null;
  readonly required: number;
  readonly counted: readonly BenchRun[];
  readonly isMet: boolean;
}

/** How far the policy is met for one image, and by which runs. */
export interface BenchJudgement {
  readonly isMet: boolean;
  readonly revisions: readonly RevisionCount[];
  /** Runs of the image, and of other images of its release, newest first. */
  readonly runs: readonly JudgedRun[];
}

/** What tells a run's board from others, never its port; null when nothing did. */
export function boardIdOf({ board, result }: BenchRun): string | null {
  return board?.id ?? result.boardId ?? null;
}

/** Whether the run was on a board that exists only as a program. */
function isOnVirtualBoard({ virtual, port }: BenchRun): boolean {
  return virtual ?? port.startsWith('virtual:');
}

/** Counts distinct boards that were flashed with exactly this image, verified and booted, as they stand at that moment. */
export function judgeBench(question: BenchQuestion): BenchJudgement {
  const { policy, imageSha256, releaseId } = question;
  const named = policy.hardwareRevisions ?? null;
  const runs = question.runs
    .filter((run) => run.imageSha256 === imageSha256 || run.releaseId === releaseId)
    .toSorted((one, other) => other.startedAt.localeCompare(one.startedAt));
  const revisionOf = newestRevisions(runs.filter((run) => run.imageSha256 === imageSha256));
  const counted: BenchRun[] = [];
  const judged = runs.map((run): JudgedRun => {
    const reason = ownFault(run, question) ?? boardFault(run, policy, revisionOf, counted);
    if (reason === null) counted.push(run);
    return { run, reason, why: reasonText(reason, run, question) };
  });
  const revisions = (named ?? [null]).map((revision): RevisionCount => {
    const own = counted.filter((run) => revision === null || run.hardwareRevision === revision);
    return {
      revision,
      required: policy.boards,
      counted: own,
      isMet: own.length >= policy.boards,
    };
  });
  return { isMet: revisions.every(({ isMet }) => isMet), revisions, runs: judged };
}

/** A board has one revision: the one that was told last. */
function newestRevisions(newestFirst: readonly BenchRun[]): ReadonlyMap<string, string> {
  const revisions = new Map<string, string>();
  for (const run of newestFirst) {
    const id = boardIdOf(run);
    if (id !== null && run.hardwareRevision !== undefined && !revisions.has(id))
      revisions.set(id, run.hardwareRevision);
  }
  return revisions;
}

/** What is wrong with the run by itself. */
function ownFault(run: BenchRun, question: BenchQuestion): NotCounted | null {
  const { policy, imageSha256, targetVersion, at } = question;
  if (run.imageSha256 !== imageSha256) return 'other-image';
  if (run.startedAt > at) return 'later';
  if (ageDays(run, at) > (policy.withinDays ?? Number.POSITIVE_INFINITY)) return 'too-old';
  if (run.failure) return 'failed';
  const { booted, verified } = run.result;
  if (booted?.outcome === 'boot-loop') return 'boot-loop';
  if (booted === null || booted.version === null) return 'not-booted';
  if (booted.outcome === 'other-version') return 'other-version';
  if (!booted.matched && booted.version !== targetVersion) return 'other-version';
  if (!run.passed) return verified ? 'failed' : 'not-verified';
  return null;
}

/** What is wrong with the board that it ran on, among those that count already. */
function boardFault(
  run: BenchRun,
  policy: BenchPolicy,
  revisionOf: ReadonlyMap<string, string>,
  counted: readonly BenchRun[],
): NotCounted | null {
  if (isOnVirtualBoard(run) && policy.virtualBoards !== true) return 'virtual';
  const id = boardIdOf(run);
  if (id === null) return 'board-unknown';
  if (policy.hardwareRevisions) {
    if (run.hardwareRevision === undefined) return 'revision-unknown';
    if (revisionOf.get(id) !== run.hardwareRevision) return 'revision-changed';
    if (!policy.hardwareRevisions.includes(run.hardwareRevision)) return 'revision-not-asked';
  }
  return counted.some((other) => isSameBoard(run, other)) ? 'same-board' : null;
}

/**
 * A run that knows only the USB serial number may be of any board behind that adapter, so that one which is known by
 * its chip as well is taken for the same.
 */
function isSameBoard(one: BenchRun, other: BenchRun): boolean {
  if (boardIdOf(one) === boardIdOf(other)) return true;
  const isUnsure = one.board?.source === 'usb' || other.board?.source === 'usb';
  return isUnsure && one.board?.usbId !== undefined && one.board.usbId === other.board?.usbId;
}

const ageDays = (run: BenchRun, at: string): number =>
  (Date.parse(at) - Date.parse(run.startedAt)) / dayMs;

function reasonText(reason: NotCounted | null, run: BenchRun, question: BenchQuestion): string {
  const { policy, at } = question;
  const booted = run.result.booted?.version ?? '';
  const words: Readonly<Record<NotCounted, string>> = {
    'other-image': `it flashed another image (${run.imageSha256.slice(0, 12)}…)`,
    later: 'it was started after this moment',
    'too-old': `it is ${Math.floor(ageDays(run, at))} days old, the policy takes ${policy.withinDays} days`,
    failed: run.failure ? `it ended early: ${run.failure.title}` : 'it failed',
    'not-verified': 'what the board holds was not verified',
    'not-booted': run.result.booted ? 'the board did not boot' : 'it ended before the boot check',
    'other-version': `the board booted ${booted}, not this version`,
    'boot-loop': 'the board boots in a loop',
    virtual: 'it ran on a virtual board, which the policy does not take',
    'board-unknown': 'nothing told this board from others (no chip id, no USB serial number)',
    'revision-unknown': 'the hardware revision of the board was not told',
    'revision-not-asked': `the policy asks for no revision ${run.hardwareRevision ?? ''}`,
    'revision-changed': `the board was called revision ${run.hardwareRevision ?? ''} then and another one since`,
    'same-board': 'the same board counts once',
  };
  return reason === null ? 'it counts' : words[reason];
}

/** A policy in words, for example `3 boards of each hardware revision (A, B), flashed within 7 days`. */
export function policyText(policy: BenchPolicy): string {
  const { boards, hardwareRevisions, withinDays, virtualBoards } = policy;
  return [
    `${boards} ${boards === 1 ? 'board' : 'boards'}${hardwareRevisions ? ` of each hardware revision (${hardwareRevisions.join(', ')})` : ''}`,
    ...(withinDays === undefined
      ? []
      : [`flashed within ${withinDays} ${withinDays === 1 ? 'day' : 'days'}`]),
    ...(virtualBoards ? ['virtual boards count'] : []),
  ].join(', ');
}

/** For example `revision A 2 of 3 boards, revision B 0 of 3 boards`. */
export function countText(revisions: readonly RevisionCount[]): string {
  return revisions
    .map(({ revision, required, counted }) => {
      const name = revision === null ? '' : `revision ${revision} `;
      const least = Math.min(counted.length, required);
      return `${name}${least} of ${required} ${required === 1 ? 'board' : 'boards'}`;
    })
    .join(', ');
}

/** One line for each run: the board, when, and whether it counts or why not. */
export function runLines(runs: readonly JudgedRun[]): string[] {
  return runs.map(({ run, reason, why }) => {
    const revision = run.hardwareRevision === undefined ? '' : `, revision ${run.hardwareRevision}`;
    const name = run.board?.nickname ?? boardIdOf(run) ?? 'an unknown board';
    const when = run.startedAt.slice(0, 16).replace('T', ' ');
    const verdict = reason === null ? 'counts' : `does not count: ${why}`;
    return `${run.imageName}, ${name}${revision}, ${when} UTC: ${verdict}`;
  });
}
