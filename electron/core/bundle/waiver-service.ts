import { randomUUID } from 'node:crypto';
import type { InspectReport } from '../../../shared/domain/finding.ts';
import { isSamePerson } from '../../../shared/domain/person.ts';
import { applyPolicy } from '../../../shared/domain/policy.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { Product, VersionPackage } from '../../../shared/domain/product.ts';
import {
  applyWaivers,
  unwaivableReason,
  type Waiver,
  type WaiverDraft,
  type WaiverState,
  waiversInForce,
} from '../../../shared/domain/waiver.ts';
import type { Workspace } from '../workspace/workspace.ts';

/**
 * Records a waiver. @throws ProblemError `rule-not-waivable` | `waiver-exists` | `unknown-id`
 */
export function addWaiver(workspace: Workspace, draft: WaiverDraft): Waiver {
  workspace.product(draft.productId);
  const why = unwaivableReason(draft.rule);
  if (why !== null) {
    throw problem(
      'rule-not-waivable',
      'This finding cannot be waived',
      `${why}.`,
      'Correct the file, or pick the one that was meant.',
      'gate',
    );
  }
  return workspace.transaction(() => {
    const same = waiversInForce(workspace.list('waiver'), draft.productId, draft.version).find(
      ({ rule, sha256, name }) =>
        rule === draft.rule && sha256 === draft.sha256 && isSamePerson(name, draft.name),
    );
    if (same !== undefined) {
      throw problem(
        'waiver-exists',
        'This person has waived it already',
        `${same.name} waived ${same.rule} for ${same.fileName} on ${same.at}: ${same.reason}`,
        'Remove that waiver first to give another reason.',
        'usage',
      );
    }
    const waiver: Waiver = {
      ...draft,
      id: randomUUID(),
      at: new Date().toISOString(),
      removed: null,
    };
    workspace.put('waiver', releaseIdOf(workspace, draft), waiver);
    return waiver;
  });
}

/**
 * Takes a waiver back; it stays in the record as taken back. Refused as long as a published plan
 * that relies on it goes on: devices would get what nobody answers for any more.
 * @throws ProblemError `waiver-removed` | `waiver-in-use` | `unknown-id`
 */
export function removeWaiver(
  workspace: Workspace,
  input: { waiverId: string; name: string; reason: string },
): Waiver {
  return workspace.transaction(() => {
    const waiver = workspace.get('waiver', input.waiverId);
    if (waiver.removed !== null) {
      throw problem(
        'waiver-removed',
        'The waiver is removed already',
        `${waiver.removed.name} removed it on ${waiver.removed.at}: ${waiver.removed.reason}`,
        'There is nothing left to do.',
        'usage',
      );
    }
    const plan = goingPlan(workspace, waiver);
    if (plan !== null) {
      throw problem(
        'waiver-in-use',
        'A published plan relies on this waiver',
        `Plan "${plan}" delivers ${waiver.fileName} (SHA-256 ${waiver.sha256}).`,
        'Terminate the plan (or delete it, when it was never published) first: no waiver is taken back under a rollout that goes on.',
        'gate',
      );
    }
    const { name, reason } = input;
    const removed = { at: new Date().toISOString(), name, reason };
    const tombstone: Waiver = { ...waiver, removed };
    workspace.put('waiver', releaseIdOf(workspace, waiver), tombstone);
    return tombstone;
  });
}

/** The waivers, oldest first, each with what it is worth now. */
export function listWaivers(
  workspace: Workspace,
  filter: { productId?: string | undefined; version?: string | undefined },
): (Waiver & { state: WaiverState })[] {
  const packages = workspace.list('package');
  return workspace
    .list('waiver')
    .filter(
      ({ productId, version }) =>
        (filter.productId === undefined || productId === filter.productId) &&
        (filter.version === undefined || version === filter.version),
    )
    .map((waiver) => ({ ...waiver, state: stateOf(waiver, packages) }));
}

/** Void once the version is recorded with a file of this name that has other bytes. */
function stateOf(waiver: Waiver, packages: readonly VersionPackage[]): WaiverState {
  if (waiver.removed !== null) return 'removed';
  const files = packages
    .filter((pkg) => pkg.productId === waiver.productId && pkg.targetVersion === waiver.version)
    .flatMap((pkg) => pkg.files);
  const isThere = files.some(({ sha256 }) => sha256 === waiver.sha256);
  return !isThere && files.some(({ name }) => name === waiver.fileName) ? 'void' : 'active';
}

/** The report as the product's policy and the waivers of this version judge it at this moment. */
export function judgeReport(
  workspace: Workspace,
  report: InspectReport,
  product: Product,
  version: string | undefined,
  author?: string,
): InspectReport {
  const weighed = applyPolicy(report, product.policy.findings);
  if (version === undefined) return weighed;
  return applyWaivers(
    weighed,
    waiversInForce(workspace.list('waiver'), product.id, version),
    author,
  );
}

/** The recorded packages of a release, or all, with their reports judged as of now. */
export function judgedPackages(workspace: Workspace, releaseId?: string): VersionPackage[] {
  return judged(workspace, workspace.list('package', releaseId));
}

/** A recorded package with its report judged as of now: its record tells how it was judged when it was made. */
export function judgedPackage(workspace: Workspace, recorded: VersionPackage): VersionPackage {
  const [pkg = recorded] = judged(workspace, [recorded]);
  return pkg;
}

/** A package whose product is no longer in slipway.yaml is judged without a policy. */
function judged(workspace: Workspace, packages: readonly VersionPackage[]): VersionPackage[] {
  const waivers = workspace.list('waiver');
  const products = new Map(workspace.config.products.map((product) => [product.id, product]));
  return packages.map((pkg) => {
    const { productId, targetVersion } = pkg;
    const report = applyPolicy(pkg.report, products.get(productId)?.policy.findings);
    const inForce = waiversInForce(waivers, productId, targetVersion);
    return { ...pkg, report: applyWaivers(report, inForce, pkg.author) };
  });
}

const over: readonly string[] = ['terminated', 'ended'];

/**
 * Name of a plan that delivers the bytes of the waiver and is not over. One that passed its gates
 * may have reached the cloud, even when the studio stopped before it noted so.
 */
function goingPlan(workspace: Workspace, waiver: Waiver): string | null {
  const delivering = new Set(
    workspace
      .list('package')
      .filter(
        (pkg) =>
          pkg.productId === waiver.productId &&
          pkg.targetVersion === waiver.version &&
          pkg.files.some(({ sha256 }) => sha256 === waiver.sha256),
      )
      .map(({ id }) => id),
  );
  const going = workspace
    .list('plan')
    .filter(({ id, publishedAt, state }) =>
      publishedAt === null ? workspace.has('planCheck', id) : !over.includes(state),
    )
    .find(({ components }) =>
      components.some(
        ({ fullPackageId, deltas }) =>
          (fullPackageId !== null && delivering.has(fullPackageId)) ||
          deltas.some(({ packageId }) => delivering.has(packageId)),
      ),
    );
  return going?.name ?? null;
}

function releaseIdOf(
  workspace: Workspace,
  { productId, version }: Pick<Waiver, 'productId' | 'version'>,
): string | null {
  const release = workspace
    .releases()
    .find((one) => one.productId === productId && one.version === version);
  return release?.id ?? null;
}
