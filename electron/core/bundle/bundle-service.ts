import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import type { InspectReport } from '../../../shared/domain/finding.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type {
  Component,
  ComponentType,
  PackageFile,
  Product,
  VersionPackage,
} from '../../../shared/domain/product.ts';
import { roleOfFormat } from '../../../shared/domain/file-role.ts';
import { defaultFileTypes } from '../../../shared/domain/limits.ts';
import { countedVerdict } from '../../../shared/domain/verdict.ts';
import { isByAnother } from '../../../shared/domain/waiver.ts';
import { runTask } from '../../worker/run-task.ts';
import { ensureRelease } from '../releases/release-service.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { firstLook } from './first-look.ts';
import { type KnownIdentity, knownIdentity } from './identity-context.ts';
import { judgedPackage, judgeReport } from './waiver-service.ts';

// Most commands neither read nor write archives.
const loadVersionPackage = () => import('./version-package.ts');

/** Files to inspect: absolute paths, and what they are checked against. */
export interface InspectRequest {
  readonly paths: readonly string[];
  readonly version?: string | undefined;
  readonly componentType?: ComponentType | undefined;
  readonly component?: Component | undefined;
  readonly extraFileTypes: readonly string[];
  /** Formats that slipway.yaml describes; their extensions are allowed. */
  readonly formats: readonly DescribedFormat[];
  /** Collects description, keys and records that the files are compared with, where a product is known. */
  readonly known?: (() => Promise<KnownIdentity>) | undefined;
}

/** Inspects files in a worker thread; the report is produced even when files are blocked. */
export async function inspectFiles(
  request: InspectRequest,
  context: WorkContext,
): Promise<InspectReport> {
  const componentType = request.component?.type ?? request.componentType;
  const files = request.paths.map((path) => ({ path, name: basename(path) }));
  const { formats } = request;
  const fileTypes = [
    ...defaultFileTypes,
    ...request.extraFileTypes,
    ...formats.flatMap(({ extensions }) => extensions),
  ];
  // Here and not in the worker: starting one takes longer than a look at every file.
  const looks = await Promise.all(
    files.map((file, index) => firstLook(index, file, { fileTypes, formats })),
  );
  for (const look of looks) context.onFileSoFar?.(look);
  // Only now: reading a long record would keep the first findings back.
  const known = await request.known?.();
  return runTask(
    'bundle.inspect',
    {
      files,
      fileTypes,
      ...(formats.length > 0 ? { formats } : {}),
      ...(request.version ? { version: request.version } : {}),
      ...(componentType ? { component: componentType } : {}),
      ...(request.component?.memory ? { memory: request.component.memory } : {}),
      ...(request.component?.chip ? { chip: request.component.chip } : {}),
      ...known,
    },
    context,
  );
}

/** The component of a product. @throws ProblemError `unknown-component` */
export function componentOf(product: Product, componentId: string): Component {
  const component = product.components.find((candidate) => candidate.id === componentId);
  if (component) return component;
  const known = product.components.map((candidate) => candidate.id).join(', ');
  throw problem(
    'unknown-component',
    'No such component',
    `${product.id} has no component ${componentId}; it has ${known}.`,
    'Choose one of them, or add it to slipway.yaml.',
    'usage',
  );
}

/**
 * Inspects the files, stores them and writes the deterministic version package of a full image.
 * Making the same package again returns the existing one; other bytes under a used version are refused.
 * @throws ProblemError `bundle-blocked` | `version-immutable` | `disk-full`
 */
export async function createFullPackage(
  workspace: Workspace,
  input: {
    componentId: string;
    paths: readonly string[];
    name?: string | undefined;
    /** Name of who makes the package; the workspace's person without it. */
    author?: string | undefined;
  } & ({ releaseId: string } | { productId: string; version: string }),
  context: WorkContext,
): Promise<VersionPackage> {
  const wanted = 'releaseId' in input ? workspace.release(input.releaseId) : input;
  const product = workspace.product(wanted.productId);
  const component = componentOf(product, input.componentId);
  const author = input.author ?? workspace.person ?? refuseNoAuthor();
  const inspected = await inspectFiles(
    {
      paths: input.paths,
      version: wanted.version,
      component,
      extraFileTypes: workspace.config.fileTypes,
      formats: workspace.config.formats,
      known: () => knownIdentity(workspace, product, component, wanted.version),
    },
    context,
  );
  const other = inspected.files
    .flatMap(({ findings }) => findings)
    .find(({ rule }) => rule === 'identity.version-immutable');
  if (other) throw versionImmutable(`${other.detail}; these have ${other.evidence.found}.`);
  const report = judgeReport(workspace, inspected, product, wanted.version, author);
  if (report.verdict === 'block') throw blocked(report);
  refuseOwnWaivers(report, author);
  const files = await storeInspected(workspace, input.paths, report, roleOfFormat, context);
  // Only now, so that files that are refused leave no empty release behind.
  const release = ensureRelease(workspace, wanted.productId, wanted.version);
  const pkg = await recordPackage(
    workspace,
    {
      releaseId: release.id,
      productId: release.productId,
      componentId: component.id,
      componentType: component.type,
      name: input.name ?? `${release.productId} ${component.id} ${release.version}`,
      packageType: 'full',
      sourceVersion: null,
      targetVersion: release.version,
      report,
      author,
      deltaProof: null,
    },
    files,
    context,
  );
  // One that was there already may have been judged otherwise when it was made.
  return judgedPackage(workspace, pkg);
}

/**
 * Stores files that were inspected, as those very bytes.
 * @throws ProblemError `file-changed` | `disk-full`
 */
export async function storeInspected(
  workspace: Workspace,
  paths: readonly string[],
  report: InspectReport,
  roleOf: (format: string) => PackageFile['role'],
  context: WorkContext,
): Promise<readonly { path: string; file: PackageFile }[]> {
  const files: { path: string; file: PackageFile }[] = [];
  for (const [index, path] of paths.entries()) {
    const inspected = report.files[index];
    if (!inspected) throw new Error('the report has fewer files than the request');
    const stored = await workspace.objects.add(path, context);
    if (stored.sha256 !== inspected.sha256) {
      throw problem(
        'file-changed',
        'A file changed while it was read',
        `${inspected.name} had SHA-256 ${inspected.sha256} when inspected and ${stored.sha256} when stored.`,
        'Wait until the build has finished and add the file again.',
      );
    }
    files.push({
      path: workspace.objects.path(stored.sha256),
      file: {
        name: inspected.name,
        role: roleOf(inspected.format),
        sizeBytes: stored.sizeBytes,
        sha256: stored.sha256,
        format: inspected.format,
      },
    });
  }
  return files;
}

type PackageDraft = Omit<VersionPackage, 'id' | 'files' | 'sha256' | 'sizeBytes' | 'createdAt'>;

/** Writes the archive, stores it and records the version package. */
export async function recordPackage(
  workspace: Workspace,
  draft: PackageDraft,
  files: readonly { path: string; file: PackageFile }[],
  context: WorkContext,
): Promise<VersionPackage> {
  const manifest = {
    schema: 'slipway.version-package/1',
    productId: draft.productId,
    componentId: draft.componentId,
    componentType: draft.componentType,
    packageType: draft.packageType,
    sourceVersion: draft.sourceVersion,
    targetVersion: draft.targetVersion,
    files: files.map(({ file }) => file),
  };
  const folder = workspace.internal('tmp');
  await mkdir(folder, { recursive: true });
  const outPath = join(folder, `${randomUUID()}.tar`);
  try {
    const { writeVersionPackage } = await loadVersionPackage();
    const archive = await writeVersionPackage({ files, manifest, outPath }, context);
    await workspace.objects.add(outPath, context);
    return workspace.transaction(() => {
      const existing = workspace
        .list('package', draft.releaseId)
        .find(
          (pkg) =>
            pkg.componentId === draft.componentId &&
            pkg.packageType === draft.packageType &&
            pkg.sourceVersion === draft.sourceVersion,
        );
      if (existing && existing.sha256 === archive.sha256) return existing;
      if (existing) {
        throw versionImmutable(
          `${existing.componentId} ${existing.targetVersion} (${existing.packageType}) is recorded with SHA-256 ${existing.sha256}; these files give ${archive.sha256}.`,
        );
      }
      const pkg: VersionPackage = {
        ...draft,
        id: randomUUID(),
        files: files.map(({ file }) => file),
        sha256: archive.sha256,
        sizeBytes: archive.sizeBytes,
        createdAt: new Date().toISOString(),
      };
      workspace.put('package', pkg.releaseId, pkg);
      return pkg;
    });
  } finally {
    await rm(outPath, { force: true });
  }
}

/** Re-reads the stored archive of a package and compares every hash. */
export async function verifyPackage(
  workspace: Workspace,
  packageId: string,
  context: WorkContext,
): Promise<{ packageId: string; sha256: string; intact: boolean }> {
  const pkg = workspace.get('package', packageId);
  const { verifyVersionPackage } = await loadVersionPackage();
  const result = await verifyVersionPackage(workspace.objects.path(pkg.sha256), context);
  return {
    packageId,
    sha256: result.sha256,
    intact: result.intact && result.sha256 === pkg.sha256,
  };
}

function versionImmutable(detail: string) {
  return problem(
    'version-immutable',
    'This version already has other bytes',
    detail,
    'Versions are immutable: raise the version and make a new release.',
    'gate',
  );
}

/** @throws ProblemError `person-unknown` */
function refuseNoAuthor(): never {
  throw problem(
    'person-unknown',
    'Who makes the package?',
    'The system has no name for this user, and the workspace has none either.',
    'Set one: slipway settings person NAME, or give --author NAME.',
    'usage',
  );
}

/** A blocking finding that only the author of the package has waived is not waived. @throws ProblemError `waiver-by-author` */
function refuseOwnWaivers(report: InspectReport, author: string): void {
  const own = report.files.flatMap(({ name, findings }) =>
    findings
      .filter(
        ({ verdict, waived }) => verdict === 'block' && waived && !isByAnother(waived, author),
      )
      .map(({ rule }) => `${name}: ${rule}`),
  );
  if (own.length === 0) return;
  throw problem(
    'waiver-by-author',
    'The author cannot waive a block',
    `${own.join('; ')}: waived by ${author}, who makes the package.`,
    'Another person must look at it and waive it.',
    'gate',
  );
}

/** Why files are refused. */
export function blocked(report: InspectReport) {
  const reasons = report.files.flatMap((file) =>
    file.findings
      .filter((finding) => countedVerdict(finding) === 'block')
      .map((finding) => `${file.name}: ${finding.title}, ${finding.detail} (${finding.rule})`),
  );
  return problem(
    'bundle-blocked',
    'The files are blocked',
    reasons.join('; '),
    'Correct the files; the findings say how.',
    'gate',
  );
}
