import type { Method, Output, ParsedInput } from '../../shared/contract/contract.ts';
import type { DeltaLimits } from '../../shared/domain/delta.ts';
import type { WorkContext } from '../../shared/domain/job.ts';
import { problem } from '../../shared/domain/problem.ts';
import { type BenchDoors, benchHandlers } from './bench/bench-handlers.ts';
import {
  componentOf,
  createFullPackage,
  inspectFiles,
  verifyPackage,
} from './bundle/bundle-service.ts';
import { testFormat } from './bundle/format-service.ts';
import { knownIdentity } from './bundle/identity-context.ts';
import { packageReport, writeReport, writeText } from './bundle/report-service.ts';
import {
  addWaiver,
  judgedPackages,
  judgeReport,
  listWaivers,
  removeWaiver,
} from './bundle/waiver-service.ts';
import { scopeCsv } from '../../shared/report/scope-csv.ts';
import { appendSecrets } from './clouds/device-secrets.ts';
import type { CloudService } from './clouds/cloud-service.ts';
import type { PlanFollower } from './clouds/plan-follower.ts';
import { measureMatrix } from './delta/delta-matrix.ts';
import { createDeltaPackage } from './delta/delta-packages.ts';
import { applyDelta, inspectDelta, makeDelta } from './delta/delta-service.ts';
import { acceptForeignDelta } from './delta/foreign-deltas.ts';
import { type ImageDiffs, patchPath } from './delta/image-diffs.ts';
import { exportEvidence } from './evidence/export-evidence.ts';
import { verifyEvidence } from './evidence/verify-evidence.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Log } from './log.ts';
import { dryRun } from './plan/dry-run.ts';
import type { VerificationService } from './plan/verification-service.ts';
import type { PlanService } from './plan/plan-service.ts';
import { runTask } from '../worker/run-task.ts';
import { createRelease, summarizeReleases } from './releases/release-service.ts';
import type { Workspace } from './workspace/workspace.ts';

/** One function for each call of the contract; calls get a context that is never cancelled. */
export type Handlers = {
  [M in Method]: (input: ParsedInput<M>, context: WorkContext) => Promise<Output<M>>;
};

/** What needs an open workspace. */
export interface Rooms {
  readonly workspace: Workspace;
  readonly clouds: CloudService;
  readonly plans: PlanService;
  readonly verifications: VerificationService;
  readonly follower: PlanFollower;
}

/** What the handlers are composed of. */
export interface HandlerParts extends BenchDoors {
  readonly rooms: Rooms | null;
  readonly diffs: ImageDiffs;
  readonly jobs: Jobs;
  readonly log: Log;
  readonly resolveFile: (ref: string, access: 'read' | 'write') => string;
  readonly version: string;
}

// Only a backup opens a database without a workspace.
const loadBackup = () => import('./clouds/cloud-backup.ts');

/** Wires the contract's calls to the services. */
export function makeHandlers(parts: HandlerParts): Handlers {
  const { diffs, jobs, log } = parts;
  const toRead = (ref: string): string => parts.resolveFile(ref, 'read');
  const toWrite = (ref: string): string => parts.resolveFile(ref, 'write');
  const rooms = (): Rooms => {
    if (parts.rooms) return parts.rooms;
    throw problem(
      'no-workspace',
      'No workspace is open',
      'This call needs a workspace.',
      'Give --workspace DIR, or run it in a folder that holds slipway.yaml.',
      'usage',
    );
  };
  const workspace = (): Workspace => rooms().workspace;
  /** What a component of a product can apply; of its first one when none is named. */
  const describedLimits = (productId?: string, componentId?: string): DeltaLimits => {
    if (!productId) return {};
    const product = workspace().product(productId);
    return componentOf(product, componentId ?? product.components[0]?.id ?? '').delta ?? {};
  };

  return {
    'app.info': async () => ({
      version: parts.version,
      workspace: { path: workspace().folder, name: workspace().name },
    }),
    'products.list': async () => workspace().config.products,

    'releases.list': async () => summarizeReleases(workspace()),
    'releases.create': async (input) => createRelease(workspace(), input.productId, input.version),

    'bundle.inspect': async (input, context) => {
      const product = input.productId ? workspace().product(input.productId) : null;
      const candidates =
        product && input.componentId
          ? [componentOf(product, input.componentId)]
          : (product?.components ?? []).filter(
              (candidate) => !input.component || candidate.type === input.component,
            );
      const [component, second] = candidates;
      const report = await inspectFiles(
        {
          paths: input.files.map(toRead),
          version: input.version,
          componentType: input.component,
          component,
          extraFileTypes: parts.rooms?.workspace.config.fileTypes ?? [],
          formats: parts.rooms?.workspace.config.formats ?? [],
          known:
            // The records of one component say nothing about files of another.
            product && component && !second
              ? () => knownIdentity(workspace(), product, component, input.version)
              : undefined,
        },
        context,
      );
      return product ? judgeReport(workspace(), report, product, input.version) : report;
    },
    'bundle.create': (input, context) =>
      createFullPackage(workspace(), { ...input, paths: input.files.map(toRead) }, context),
    'bundle.verify': (input, context) => verifyPackage(workspace(), input.packageId, context),
    'bundle.report': async (input) => {
      const about =
        'packageId' in input
          ? packageReport(workspace(), input.packageId)
          : { report: input.report, title: input.title };
      return writeReport(toWrite(input.out), input.format, about, parts.version);
    },
    'text.save': async ({ out, text }) => writeText(toWrite(out), text),
    'bundle.judge': async ({ report, productId, version }) =>
      judgeReport(workspace(), report, workspace().product(productId), version),
    'packages.list': async (input) => judgedPackages(workspace(), input.releaseId),

    'waivers.add': async (input) => {
      const waiver = addWaiver(workspace(), input);
      log.write('info', 'bundle', `${waiver.name} waived ${waiver.rule}`, { waiver });
      return waiver;
    },
    'waivers.list': async (input) => listWaivers(workspace(), input),
    'waivers.remove': async (input) => {
      const waiver = removeWaiver(workspace(), input);
      log.write('info', 'bundle', `${input.name} took back a waiver of ${waiver.rule}`, { waiver });
      return waiver;
    },

    'formats.list': async () => workspace().config.formats,
    'formats.test': (input, context) => testFormat(input.format, toRead(input.file), context),
    'formats.save': async ({ format, replaces }) => {
      await workspace().saveFormat(format, replaces ?? format.name);
      return workspace().config.formats;
    },
    'formats.remove': async (input) => {
      await workspace().removeFormat(input.name);
      return workspace().config.formats;
    },

    'delta.create': (input, context) => createDeltaPackage(workspace(), input, context),
    'delta.accept': (input, context) =>
      acceptForeignDelta(workspace(), { ...input, paths: input.files.map(toRead) }, context),
    'delta.make': (input, context) =>
      makeDelta(
        {
          sourcePath: toRead(input.source),
          targetPath: toRead(input.target),
          outPath: toWrite(input.out),
          request: input,
          limits: {
            ...describedLimits(input.productId, input.componentId),
            ...input.limits,
          },
        },
        context,
      ),
    'delta.matrix': async (input, context) => {
      const { productId } = workspace().release(input.releaseId);
      // Measuring is no reason to start a cloud.
      const { running } = await rooms().clouds.status();
      const versions = running
        ? await rooms().plans.versionsInField(productId, input.componentId)
        : null;
      return measureMatrix(workspace(), input, versions, context);
    },
    'delta.inspect': (input, context) => inspectDelta({ patchPath: toRead(input.patch) }, context),
    'delta.apply': (input, context) =>
      applyDelta(
        {
          sourcePath: toRead(input.source),
          patchPath: toRead(input.patch),
          outPath: toWrite(input.out),
          ...(input.expectedSha256 && { expectedSha256: input.expectedSha256 }),
        },
        context,
      ),

    'delta.diff': (input, context) => diffs.compare(workspace, input, toRead, context),
    'delta.diff.bytes': (input) => diffs.bytes(input),
    'delta.diff.close': async (input) => {
      await diffs.close(input.diffId);
      return {};
    },
    'delta.operations': (input, context) => {
      const path = 'patch' in input ? toRead(input.patch) : patchPath(workspace(), input.packageId);
      return runTask('delta.operations', { path }, context);
    },

    ...benchHandlers(parts, { open: parts.rooms?.workspace ?? null, workspace, toRead, toWrite }),

    'cloud.status': async () => rooms().clouds.status(),
    'cloud.start': async () => rooms().clouds.start(),
    'cloud.backup': async ({ dataDir, folder }, context) =>
      (await loadBackup()).backUpCloud(toRead(dataDir), toWrite(folder), context),
    'cloud.restore': async ({ backup, dataDir }, context) =>
      (await loadBackup()).restoreCloud(toRead(backup), toWrite(dataDir), context),
    'cloud.operator': async () => rooms().clouds.operator(),
    'cloud.signIn': async ({ token }) => rooms().clouds.signIn(token),
    'cloud.signOut': async () => {
      rooms().clouds.signOut();
      return {};
    },
    'cloud.stop': async () => {
      await rooms().clouds.stop();
      return {};
    },
    'devices.list': async (input) => {
      const page = await (await rooms().clouds.connect()).devices({
        productId: input.productId,
        offset: input.offset,
        limit: input.limit,
        ...(input.search ? { search: input.search } : {}),
      });
      return { total: page.total, items: [...page.items] };
    },
    'devices.ids': async ({ productId }) => rooms().plans.deviceIds(productId),
    'devices.autoConfirm': async ({ deviceIds, active }) => {
      const cloud = await rooms().clouds.connect();
      for (const deviceId of deviceIds) await cloud.setAutoConfirm(deviceId, active);
      return {};
    },
    'devices.import': async (input) => {
      const cloud = await rooms().clouds.connect();
      for (const productId of new Set(input.devices.map((device) => device.productId)))
        await cloud.putProduct(workspace().product(productId));
      const { added, ...credentials } = await cloud.putDevices(input.devices);
      return { added, secretsFile: await appendSecrets(workspace(), credentials) };
    },

    'fleet.start': async (input) => {
      componentOf(workspace().product(input.productId), input.componentId);
      return rooms().clouds.startFleet(input);
    },
    'fleet.stop': async () => {
      await rooms().clouds.stopFleet();
      return {};
    },
    'fleet.status': async () => rooms().clouds.fleetStatus(),

    'plans.create': async (input) => rooms().plans.create(input),
    'plans.list': async (input) => workspace().list('plan', input.releaseId),
    'plans.delete': async (input) => {
      rooms().plans.delete(input.planId);
      return {};
    },
    'plans.preview': (input) => rooms().plans.preview(input),
    'plans.scopeDevices': (input) => rooms().plans.scopeDevices(input),
    'plans.exportScope': async ({ plan, group, out }) =>
      writeText(toWrite(out), scopeCsv(await rooms().plans.decisions(plan), group)),
    'plans.dryRun': (input, context) => dryRun(workspace(), rooms().plans, input, context),
    'plans.check': (input) => rooms().plans.check(input.planId),
    'plans.publish': (input, context) => rooms().plans.publish(input.planId, context),
    'plans.suspend': (input) => rooms().plans.control(input.planId, 'suspend'),
    'plans.resume': (input) => rooms().plans.resume(input.planId, input.accept),
    'plans.openStage': ({ planId, stage, ...by }) => rooms().plans.openStage(planId, stage, by),
    'plans.terminate': (input) => rooms().plans.control(input.planId, 'terminate'),
    'plans.act': ({ planId, deviceIds, act }) =>
      rooms().plans.actOnDevices(planId, [...new Set(deviceIds)], act),
    'plans.status': (input) => rooms().plans.status(input.planId),
    'plans.devices': async ({ planId, offset, limit, state, search }) => {
      const cloud = await rooms().clouds.connect();
      const page = await cloud.rolloutDevices(planId, {
        offset,
        limit,
        ...(state ? { state } : {}),
        ...(search ? { search } : {}),
      });
      return { total: page.total, items: [...page.items] };
    },
    'plans.deviceLog': async ({ planId, deviceId }) => [
      ...(await (await rooms().clouds.connect()).deviceLog(planId, deviceId)),
    ],
    'plans.history': async (input) => [
      ...(await (await rooms().clouds.connect()).history(input.planId)),
    ],
    'plans.follow': async ({ planId }) => {
      rooms().follower.follow(planId);
      return {};
    },

    'verifications.start': (input, context) => rooms().verifications.start(input, context),
    'verifications.list': async ({ releaseId, startsCloud }) => {
      const { clouds, verifications } = rooms();
      return verifications.list(releaseId, () =>
        startsCloud ? clouds.connect() : clouds.running(),
      );
    },

    'evidence.export': async (input, context) => {
      const { plans, clouds, verifications } = rooms();
      // Those that have ended meanwhile are recorded as such.
      await verifications.list(input.releaseId, () => clouds.connect());
      return exportEvidence(
        workspace(),
        plans,
        () => clouds.connect(),
        { releaseId: input.releaseId, out: input.out && toWrite(input.out) },
        context,
      );
    },
    'evidence.list': async () => workspace().list('evidence').reverse(),
    'evidence.verify': (input) =>
      verifyEvidence(
        'file' in input ? toRead(input.file) : workspace().get('evidence', input.exported).path,
      ),

    'jobs.list': async () => jobs.list(),
    'jobs.cancel': async (input) => {
      jobs.cancel(input.jobId);
      return {};
    },
    'log.tail': async (input) => log.tail(input.afterSeq),
    'settings.get': async () => readSettings(workspace()),
    'settings.set': async (input) => {
      const { theme, person, ...config } = input;
      if (person !== undefined) workspace().setSetting('person', person);
      if (theme) workspace().setSetting('theme', theme);
      if (Object.keys(config).length > 0) await workspace().updateConfig(config);
      return readSettings(workspace());
    },
  };
}

function readSettings(workspace: Workspace): Output<'settings.get'> {
  const theme = workspace.setting('theme');
  return {
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    fileTypes: workspace.config.fileTypes,
    chinaTelecomIccidPrefixes: workspace.config.chinaTelecomIccidPrefixes,
    person: workspace.person ?? '',
  };
}
