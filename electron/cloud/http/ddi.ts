import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ddiPollSeconds } from '../../../shared/domain/limits.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import type { ArtifactFile, StoredPackage } from '../store/packages.ts';
import type { CloudParts } from '../types.ts';
import { sendArtifact } from './artifact-reply.ts';
import { DdiAccess, unauthorized } from './ddi-access.ts';
import { confirmationRoutes } from './ddi-confirmation.ts';
import { actionParams, artifactOf, deployment, deviceRoot, jobHref } from './ddi-deployment.ts';
import { attributesSchema, feedbackSchema, readAttributes, toDeviceReport } from './ddi-report.ts';
import { jobGone, jobUnknown, parse } from './problems.ts';
import type { RepeatedDownloads } from './repeated-downloads.ts';

/** How often a device should ask; it goes into every poll's answer. */
const pollingSleep = `00:00:${String(ddiPollSeconds).padStart(2, '0')}`;

const keyedParams = actionParams.extend({ key: z.string().max(64) });
const packageParams = z.object({ packageId: z.string().max(128) });
const fileParams = packageParams.extend({ filename: z.string().max(255) });
const halJson = 'application/hal+json';
const md5Suffix = '.MD5SUM';

/** How DDI devices are served. */
export interface DdiPolicy {
  /** What proves success: that the device reports the target version, or its word (`closed`, `success`) alone. */
  readonly proof: 'version' | 'result';
  /** What a gateway shows instead of the secrets of its devices; null lets none in. */
  readonly gatewayToken: string | null;
}

/** The device API: Eclipse hawkBit DDI v1 at `/default/controller/v1/{id}`, and short artifact addresses. */
export function deviceRoutes(
  app: FastifyInstance,
  parts: CloudParts,
  keys: ArtifactKeys,
  policy: DdiPolicy,
  downloads: RepeatedDownloads,
): void {
  const access = new DdiAccess(parts, policy.gatewayToken);
  app.decorateRequest('deviceId', '');
  acceptBodies(app);
  // Clients that ask for HAL may take nothing else, and those that ask for JSON may not know HAL.
  app.addHook('onSend', async (request, reply) => {
    const isJson = String(reply.getHeader('content-type')).startsWith('application/json');
    if (isJson && request.headers.accept?.includes(halJson)) void reply.type(halJson);
  });
  const known = { onRequest: async (request: FastifyRequest) => access.admit(request) };
  const device = {
    onRequest: async (request: FastifyRequest) => {
      await access.admit(request);
      await parts.limits.ofDevice(request.deviceId);
    },
  };
  const base = '/:tenant/controller/v1/:id';

  app.get(base, device, async (request) => {
    const root = deviceRoot(request);
    const job = await parts.engine.offer(request.deviceId);
    const invitation = job ? null : await parts.consents.invitation(request.deviceId);
    return {
      config: { polling: { sleep: pollingSleep } },
      _links: {
        ...(job ? { deploymentBase: { href: jobHref(`${root}/deploymentBase`, job) } } : {}),
        ...(invitation
          ? { confirmationBase: { href: jobHref(`${root}/confirmationBase`, invitation.job) } }
          : {}),
        ...(parts.engine.wantsAttributes(request.deviceId)
          ? { configData: { href: `${root}/configData` } }
          : {}),
      },
    };
  });

  app.get(`${base}/deploymentBase/:actionId`, device, async (request) => {
    const { actionId } = parse(actionParams, request.params);
    const job = await parts.engine.begin(request.deviceId, actionId);
    if (job === 'gone') throw jobGone(actionId);
    if (job === 'unknown' || job === 'withheld') throw jobUnknown(actionId);
    return { id: String(job.actionId), deployment: deployment(job, deviceRoot(request)) };
  });

  app.post(`${base}/deploymentBase/:actionId/feedback`, device, async (request) => {
    const { actionId } = parse(actionParams, request.params);
    const feedback = parse(feedbackSchema, request.body);
    const said = toDeviceReport(feedback, parts.engine.hasDownloaded(actionId));
    if (!said) return {};
    const target = policy.proof === 'result' ? parts.engine.targetOf(actionId) : null;
    const report =
      said.kind === 'succeeded' && target !== null
        ? ({ kind: 'succeeded', version: target, protocol: 'ddi' } as const)
        : said;
    const outcome = await parts.engine.report(request.deviceId, actionId, report);
    if (outcome === 'gone') throw jobGone(actionId);
    if (outcome === 'unknown') throw jobUnknown(actionId);
    return {};
  });

  app.put(`${base}/configData`, device, async (request) => {
    const { mode, data } = parse(attributesSchema, request.body);
    if (mode === 'remove') return {};
    const { versions, signals } = readAttributes(data);
    await parts.engine.reportVersions(request.deviceId, versions, 'ddi');
    await parts.consents.reportSignals(request.deviceId, signals);
    return {};
  });

  confirmationRoutes(app, parts, base, device);

  app.route({
    method: ['GET', 'HEAD'],
    url: `${base}/softwaremodules/:packageId/artifacts/:filename`,
    ...known,
    handler: async (request, reply) => {
      const { packageId, filename } = parse(fileParams, request.params);
      const pkg = packageFor(request.deviceId, packageId);
      const { artifact, hashes } = pkg;
      if (artifact.name === filename)
        return sendArtifact(request, reply, parts.artifacts, artifact);
      if (`${artifact.name}${md5Suffix}` !== filename || !hashes) throw artifactUnknown();
      return reply.type('text/plain').send(`${hashes.md5}  ${artifact.name}\n`);
    },
  });

  app.get(`${base}/softwaremodules/:packageId/artifacts`, device, async (request) => {
    const { packageId } = parse(packageParams, request.params);
    return [artifactOf(packageFor(request.deviceId, packageId), deviceRoot(request))];
  });

  // Modems take URLs of 255 bytes at most, so jobs over MQTT name artifacts by this short address.
  app.route({
    method: ['GET', 'HEAD'],
    url: '/a/:actionId',
    handler: async (request, reply: FastifyReply) => {
      const { actionId } = parse(actionParams, request.params);
      const { commits } = downloads;
      const deviceId = parts.engine.deviceOf(actionId);
      if (deviceId === null || !access.isDevice(request, deviceId)) throw unauthorized();
      const artifact = await jobArtifact(deviceId, actionId);
      downloads.allow(request.raw, commits, { deviceId, artifact, route: '/a/:actionId' });
      return sendArtifact(request, reply, parts.artifacts, artifact);
    },
  });

  // A Package URI of LwM2M: the device can send nothing but the address, so that carries a key.
  app.route({
    method: ['GET', 'HEAD'],
    url: '/a/:actionId/:key/*',
    handler: async (request, reply: FastifyReply) => {
      const { actionId, key } = parse(keyedParams, request.params);
      const deviceId = keys.fits(actionId, key) ? parts.engine.deviceOf(actionId) : null;
      if (deviceId === null) throw artifactUnknown();
      const artifact = await jobArtifact(deviceId, actionId);
      return sendArtifact(request, reply, parts.artifacts, artifact);
    },
  });

  function packageFor(deviceId: string, packageId: string): StoredPackage {
    const pkg = parts.rollout.mayDownload(deviceId, packageId)
      ? parts.packages.get(packageId)
      : null;
    if (!pkg) throw artifactUnknown();
    return pkg;
  }

  async function jobArtifact(deviceId: string, actionId: number): Promise<ArtifactFile> {
    // Stored before the first byte leaves: should the device's reports be lost, it is still known
    // that the device got the new version from this plan.
    const job = await parts.engine.begin(deviceId, actionId, true);
    if (typeof job === 'string') throw jobGone(actionId);
    return job.pkg.artifact;
  }
}

/** JSON in either type; some clients name the type and send nothing where a body is optional. */
function acceptBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    ['application/json', halJson],
    { parseAs: 'string' },
    (request, body, done) =>
      body === '' ? done(null, undefined) : parseJson(request, body as string, done),
  );
}

function artifactUnknown(): Error {
  return problem(
    'job-unknown',
    'There is no such artifact for this device',
    'The device has no job with this package and file name.',
    'Follow the download link of the deployment.',
    'usage',
  );
}
