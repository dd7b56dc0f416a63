import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ddiPollSeconds } from '../../../shared/domain/limits.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import type { ArtifactFile } from '../store/packages.ts';
import type { CloudParts } from '../types.ts';
import { sendArtifact } from './artifact-reply.ts';
import { confirmationRoutes } from './ddi-confirmation.ts';
import { actionParams, deployment, deviceRoot } from './ddi-deployment.ts';
import { attributesSchema, feedbackSchema, readAttributes, toDeviceReport } from './ddi-report.ts';
import { jobGone, jobUnknown, parse } from './problems.ts';
import type { RepeatedDownloads } from './repeated-downloads.ts';

/** How often a device should ask; it goes into every poll's answer. */
const pollingSleep = `00:00:${String(ddiPollSeconds).padStart(2, '0')}`;

const keyedParams = actionParams.extend({ key: z.string().max(64) });
const fileParams = z.object({ packageId: z.string().max(128), filename: z.string().max(255) });
declare module 'fastify' {
  interface FastifyRequest {
    /** The device that proved itself, on device routes. */
    deviceId: string;
  }
}

/** The device API: Eclipse hawkBit DDI v1 at `/default/controller/v1/{id}`, and short artifact addresses. */
export function deviceRoutes(
  app: FastifyInstance,
  parts: CloudParts,
  keys: ArtifactKeys,
  downloads: RepeatedDownloads,
): void {
  app.decorateRequest('deviceId', '');
  app.addContentTypeParser(
    'application/hal+json',
    { parseAs: 'string' },
    app.getDefaultJsonParser('error', 'error'),
  );
  const known = { onRequest: async (request: FastifyRequest) => authenticate(request, parts) };
  const device = {
    onRequest: async (request: FastifyRequest) => {
      await authenticate(request, parts);
      await parts.limits.ofDevice(request.deviceId);
    },
  };
  const base = '/default/controller/v1/:id';

  app.get(base, device, async (request) => {
    const root = deviceRoot(request);
    const job = await parts.engine.offer(request.deviceId);
    const invitation = job ? null : await parts.consents.invitation(request.deviceId);
    return {
      config: { polling: { sleep: pollingSleep } },
      _links: {
        ...(job ? { deploymentBase: { href: `${root}/deploymentBase/${job.actionId}` } } : {}),
        ...(invitation
          ? { confirmationBase: { href: `${root}/confirmationBase/${invitation.job.actionId}` } }
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
    const report = toDeviceReport(feedback, parts.engine.hasDownloaded(actionId));
    if (!report) return {};
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
      const allowed = parts.rollout.mayDownload(request.deviceId, packageId);
      const pkg = allowed ? parts.packages.get(packageId) : null;
      if (pkg?.artifact.name !== filename) throw artifactUnknown();
      return sendArtifact(request, reply, parts.artifacts, pkg.artifact);
    },
  });

  // Modems take URLs of 255 bytes at most, so jobs over MQTT name artifacts by this short address.
  app.route({
    method: ['GET', 'HEAD'],
    url: '/a/:actionId',
    handler: async (request, reply: FastifyReply) => {
      const { actionId } = parse(actionParams, request.params);
      const { commits } = downloads;
      const deviceId = parts.engine.deviceOf(actionId);
      if (deviceId === null || !parts.devices.authenticate(deviceId, targetToken(request)))
        throw unauthorized();
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

  async function jobArtifact(deviceId: string, actionId: number): Promise<ArtifactFile> {
    // Stored before the first byte leaves: should the device's reports be lost, it is still known
    // that the device got the new version from this plan.
    const job = await parts.engine.begin(deviceId, actionId, true);
    if (typeof job === 'string') throw jobGone(actionId);
    return job.pkg.artifact;
  }
}

async function authenticate(request: FastifyRequest, parts: CloudParts): Promise<void> {
  const { id } = request.params as { id: string };
  if (!parts.devices.authenticate(id, targetToken(request))) {
    await parts.limits.ofFailure(request.ip);
    throw unauthorized();
  }
  request.deviceId = id;
}

function targetToken(request: FastifyRequest): string {
  return /^TargetToken (\S{1,128})$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function unauthorized(): Error {
  return problem(
    'unauthorized',
    'The device is not known or its secret is wrong',
    'The Authorization header does not carry the TargetToken of this device.',
    'Send "Authorization: TargetToken SECRET" with the secret that was given out when the device was added.',
    'usage',
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
