import { readFile, stat } from 'node:fs/promises';
import { canonicalJson } from '../../../shared/domain/canonical-json.ts';
import {
  type Evidence,
  type EvidenceReport,
  evidenceSchema,
} from '../../../shared/domain/evidence.ts';
import { deviceStateSchema, type Plan } from '../../../shared/domain/plan.ts';
import { isProvenDelta } from '../../../shared/domain/delta-gate.ts';
import { computeRecordGates } from '../../../shared/domain/gates.ts';
import { stageTally } from '../../../shared/domain/stage-tally.ts';
import { applyWaivers, waiversInForce } from '../../../shared/domain/waiver.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { sha256 } from '../../files/sha256.ts';

const maxEvidenceBytes = 256 * 1024 * 1024;

/**
 * Checks a record by itself: form, every byte, recordings, and that its parts speak of the same images.
 * An unsigned record proves that it was not damaged, not who made it; the report says so.
 */
export async function verifyEvidence(path: string): Promise<EvidenceReport> {
  const { size } = await stat(path);
  if (size > maxEvidenceBytes)
    throw problem(
      'evidence-too-large',
      'The file is too large',
      `${path} has ${size} bytes; the limit is ${maxEvidenceBytes}.`,
      'Choose an evidence file.',
      'usage',
    );
  const bytes = await readFile(path);
  const text = bytes.toString('utf8');
  const checks: EvidenceReport['checks'][number][] = [];
  const add = (id: string, passed: boolean, good: string, bad: string): void =>
    void checks.push({ id, passed, why: passed ? good : bad });
  const parsed = evidenceSchema.safeParse(parseJson(text));
  add(
    'form',
    parsed.success,
    'It is a Slipway evidence record.',
    parsed.success
      ? ''
      : `Not a valid record: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`,
  );
  if (parsed.success) {
    const { digest, ...body } = parsed.data;
    add(
      'bytes',
      bytes.equals(Buffer.from(canonicalJson(parsed.data))),
      'The file is byte for byte what was written.',
      'The text is not in canonical form: bytes were added, removed or changed.',
    );
    const actual = sha256(canonicalJson(body));
    add(
      'digest',
      actual === digest,
      `SHA-256 ${digest}.`,
      `The content has SHA-256 ${actual}; the record says ${digest}.`,
    );
    const badRun = body.benchRuns.find((run) => sha256(run.recordingText) !== run.recordingSha256);
    add(
      'recordings',
      !badRun,
      `Each of the ${body.benchRuns.length} bench runs has the serial recording of its SHA-256.`,
      `The recording of bench run ${badRun?.id ?? ''} was changed.`,
    );
    const known = new Set(body.packages.flatMap((pkg) => pkg.files.map((file) => file.sha256)));
    const strayRun = body.benchRuns.find((run) => !known.has(run.imageSha256));
    add(
      'bench-images',
      !strayRun,
      'Every bench run flashed an image of this release.',
      `Bench run ${strayRun?.id ?? ''} flashed ${strayRun?.imageSha256 ?? ''}, which is not in the release.`,
    );
    const strayDelta = body.packages.find(
      (pkg) => pkg.deltaProof && !isProvenDelta(pkg, body.packages),
    );
    add(
      'delta-proofs',
      !strayDelta,
      'Every delta proof names its patch and the full image of its component.',
      `The proof of ${strayDelta?.name ?? ''} names other images.`,
    );
    const badMark = waiverFault(parsed.data);
    add(
      'waivers',
      badMark === null,
      `${waivedCount(parsed.data)} waived findings: each has its waiver, for exactly these bytes.`,
      badMark ?? '',
    );
    for (const [id, failure, good] of rolloutChecks(parsed.data))
      add(id, failure === null, good, failure ?? '');
    add('signatures', true, 'Unsigned: the record shows damage, not who made it.', '');
  }
  return { verdict: checks.every((check) => check.passed) ? 'pass' : 'block', checks };
}

const waivedCount = ({ packages }: Evidence): number =>
  packages
    .flatMap(({ report }) => report.files.flatMap(({ findings }) => findings))
    .filter(({ waived }) => waived !== undefined).length;

/** Where the marks of the packages are not those that the record's own waivers give; null when nowhere. */
function waiverFault({ release, packages, waivers = [], exportedAt }: Evidence): string | null {
  const stray = waivers.find(
    ({ productId, version }) => productId !== release.productId || version !== release.version,
  );
  if (stray) return `The waiver of ${stray.name} for ${stray.fileName} is of another version.`;
  const inForce = waiversInForce(waivers, release.productId, release.version, exportedAt);
  const known = new Set(packages.flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
  for (const { name, report, author } of packages) {
    const marked = applyWaivers(report, inForce, author);
    if (canonicalJson(marked) !== canonicalJson(report))
      return `The verdict and marks of ${name} are not what its findings and the waivers give.`;
    const unread = report.files.find(({ sha256 }) => !known.has(sha256));
    if (unread) return `${name} was judged by ${unread.name}, which is in no package.`;
  }
  return null;
}

/** Whether the plans speak of this release's packages, passed their gates, and add up: id, what is wrong, what is right. */
function rolloutChecks({
  release,
  packages,
  benchRuns,
  rollouts,
  waivers = [],
}: Evidence): [string, string | null, string][] {
  const known = new Set(
    packages.filter((pkg) => pkg.releaseId === release.id).map((pkg) => pkg.id),
  );
  const stray = rollouts.find(
    ({ plan }) => plan.releaseId !== release.id || delivered(plan).some((id) => !known.has(id)),
  );
  const closed = rollouts.flatMap(({ gates }) => gates).find((gate) => !gate.passed);
  const unmet = rollouts.flatMap(({ plan, product }) =>
    computeRecordGates({
      product,
      packages: delivered(plan).flatMap((id) => packages.filter((pkg) => pkg.id === id)),
      releasePackages: packages,
      benchRuns: benchRuns.filter(({ startedAt }) => startedAt <= (plan.publishedAt ?? '')),
      at: plan.publishedAt ?? '',
      waivers: waiversInForce(waivers, release.productId, release.version, plan.publishedAt ?? ''),
    }).filter((gate) => !gate.passed),
  )[0];
  const uneven = rollouts.find(({ status, devices }) =>
    deviceStateSchema.options.some(
      (state) => devices.filter((device) => device.state === state).length !== status.counts[state],
    ),
  );
  const stageFault = rollouts.flatMap(stageFaultOf)[0];
  const count = `${rollouts.length} published ${rollouts.length === 1 ? 'plan' : 'plans'}`;
  return [
    [
      'plan-packages',
      stray ? `Plan ${stray.plan.id} delivers something that is not of this release.` : null,
      `${count}: every package delivered is in the record.`,
    ],
    [
      'gates',
      closed ? `A plan was published past a closed gate: ${closed.title}.` : null,
      `${count}: every gate had passed.`,
    ],
    [
      'gate-records',
      unmet ? `${unmet.title}: the record says otherwise. ${unmet.why}` : null,
      `${count}: findings, delta proofs and bench runs of what was delivered say the same.`,
    ],
    [
      'rollout-counts',
      uneven ? `The devices of plan ${uneven.plan.id} do not add up to its counts.` : null,
      `${count}: the devices add up to the counts.`,
    ],
    [
      'rollout-stages',
      stageFault ?? null,
      `${count}: the devices add up to their stages, and every stop that was resumed names who accepted what.`,
    ],
  ];
}

/** What does not fit in the stages and stops of a plan; empty when all does. */
function stageFaultOf({ plan, status, devices }: Evidence['rollouts'][number]): string[] {
  const known = new Set(devices.map(({ deviceId }) => deviceId));
  const stages = (status.stages ?? []).flatMap((one) => {
    const tally = stageTally(one.stage, devices);
    const fits = Object.entries(tally).every(
      ([key, count]) => one[key as keyof typeof tally] === count,
    );
    return fits ? [] : [`The devices of plan ${plan.id} do not add up to its stage ${one.stage}.`];
  });
  const missing = (plan.stages?.length ?? 0) !== (status.stages?.length ?? 0);
  const stops = (status.stops ?? []).flatMap((stop) =>
    stop.devices.every(({ deviceId }) => known.has(deviceId))
      ? []
      : [`A stop of plan ${plan.id} names a device that was not in it.`],
  );
  const open = (status.stops ?? []).filter(({ resumed }) => resumed === null);
  const isPassed =
    open.length > 0 && (status.state === 'upgrading' || status.state === 'activated');
  return [
    ...(missing ? [`The stages of plan ${plan.id} are not those of its rollout.`] : []),
    ...stages,
    ...stops,
    ...(isPassed ? [`Plan ${plan.id} went on after a stop that nobody accepted.`] : []),
  ];
}

function delivered(plan: Plan): string[] {
  return plan.components
    .flatMap((part) => [part.fullPackageId, ...part.deltas.map((delta) => delta.packageId)])
    .filter((id) => id !== null);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
