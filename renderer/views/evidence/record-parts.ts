import type { BenchRun } from '../../../shared/domain/bench.ts';
import type { Verdict } from '../../../shared/domain/finding.ts';
import type { Plan } from '../../../shared/domain/plan.ts';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { worstVerdict } from '../../../shared/domain/verdict.ts';

/** One thing that the record of a release will hold. */
export interface RecordPart {
  readonly id: string;
  readonly verdict: Verdict;
  readonly title: string;
  readonly detail: string;
  /** SHA-256 that binds it to the images, where there is one. */
  readonly sha256: string | null;
}

/** What the record will hold, room by room; an empty list means that the room has nothing yet. */
export interface RecordParts {
  readonly packages: readonly RecordPart[];
  readonly deltas: readonly RecordPart[];
  readonly benchRuns: readonly RecordPart[];
  readonly rollouts: readonly RecordPart[];
  /** Plans that stay out because nobody published them. */
  readonly unpublishedPlans: number;
}

/** Gathers what an export of this release would write now. */
export function recordPartsOf(
  releaseId: string,
  packages: readonly VersionPackage[],
  runs: readonly BenchRun[],
  plans: readonly Plan[],
): RecordParts {
  const own = packages.filter((pkg) => pkg.releaseId === releaseId);
  const published = plans.filter((plan) => plan.publishedAt !== null);
  return {
    packages: own.map((pkg) => ({
      id: pkg.id,
      verdict: pkg.report.verdict,
      title: `${pkg.componentId} ${pkg.packageType === 'full' ? 'full' : `delta from ${pkg.sourceVersion}`}`,
      detail: `${pkg.files.map((file) => file.name).join(', ')}: ${findingsText(pkg)}`,
      sha256: pkg.sha256,
    })),
    deltas: own.flatMap(({ id, componentId, sourceVersion, targetVersion, deltaProof }) =>
      deltaProof
        ? [
            {
              id,
              verdict: 'pass' as const,
              title: `${componentId} ${sourceVersion} → ${targetVersion}`,
              detail: `${deltaProof.format.toUpperCase()}: applied, and the result has the target's SHA-256`,
              sha256: deltaProof.targetSha256,
            },
          ]
        : [],
    ),
    benchRuns: runs.map((run) => ({
      id: run.id,
      verdict: run.passed ? 'pass' : 'block',
      title: `${run.imageName} on ${boardText(run)}`,
      detail: `${runText(run)}, with its serial recording`,
      sha256: run.imageSha256,
    })),
    rollouts: published.map((plan) => ({
      id: plan.id,
      verdict: plan.state === 'terminated' ? 'warn' : 'pass',
      title: plan.name,
      detail: `state ${plan.state}, with its gates, counts and the outcome of every device`,
      sha256: null,
    })),
    unpublishedPlans: plans.length - published.length,
  };
}

function boardText({ board, hardwareRevision, result: { chip } }: BenchRun): string {
  const name = board ? `${board.nickname ?? board.id}, ${chip}` : chip;
  return hardwareRevision === undefined ? name : `${name}, revision ${hardwareRevision}`;
}

function runText({ passed, result: { verified, booted } }: BenchRun): string {
  const written = verified ? 'verified by read-back' : 'not verified';
  if (!booted) return `${written}, boot not checked`;
  const seen = booted.version === null ? 'showed no version' : `booted ${booted.version}`;
  return `${written}, ${seen}${passed ? '' : ', which is not what was expected'}`;
}

function findingsText(pkg: VersionPackage): string {
  const findings = pkg.report.files.flatMap((file) => file.findings);
  const open = findings.filter((finding) => finding.verdict !== 'pass');
  if (findings.length === 0) return 'no check was made';
  const checks = `${findings.length} ${findings.length === 1 ? 'check' : 'checks'}`;
  if (open.length === 0) return `${checks}, all passed`;
  const worst = worstVerdict(open.map((finding) => finding.verdict));
  return `${checks}, ${open.length} not passed (worst: ${worst})`;
}
