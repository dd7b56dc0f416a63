import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Decision } from '../../../shared/domain/cloud.ts';
import { deviceSchema, deviceStateSchema, planSchema } from '../../../shared/domain/plan.ts';
import { personSchema, reasonSchema } from '../../../shared/domain/waiver.ts';
import { upgradePathSchema } from '../../../shared/domain/upgrade-path-schema.ts';
import { productSchema, versionPackageSchema } from '../../../shared/domain/product.ts';
import type { CloudAddresses, CloudParts } from '../types.ts';
import { consentRoutes } from './operator-consent.ts';
import { invalidRequest, parse } from './problems.ts';

const mebibyte = 1024 * 1024;
const deviceBodyLimitBytes = 32 * mebibyte;
/** A version package holds at most 5 files of 100 MB; its artifact is at most as large. */
const artifactMaxBytes = 500 * mebibyte;

const idParams = z.object({ id: z.string().min(1).max(128) });
const productParams = z.object({ id: productSchema.shape.id });
const page = {
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  search: z.string().max(128).default(''),
};
const deviceQuery = z.object({ productId: z.string().min(1), ...page });
const rolloutQuery = z.object({
  ...page,
  state: z.union([deviceStateSchema, z.literal('')]).default(''),
});
const putProduct = z.object({ name: z.string().min(1).max(200) });
const putDevices = z.object({
  devices: z.array(deviceSchema).max(10_000),
  rotate: z.boolean().default(false),
});
const removeDevices = z.object({
  productId: z.string().min(1),
  batch: z.string().min(1),
  keep: z.array(deviceSchema.shape.id).max(10_000),
});
const putPackage = z.object({
  package: versionPackageSchema,
  artifact: z.object({
    name: z
      .string()
      .min(1)
      .max(255)
      .regex(/^[^/\\\p{Cc}]+$/u, 'a file name without folders')
      .refine((name) => name !== '.' && name !== '..', 'a file name'),
    sizeBytes: z.number().int().positive().max(artifactMaxBytes),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
  }),
});
const putPlan = z.object({
  plan: planSchema,
  policy: z.object({
    chinaTelecomIccidPrefixes: z.array(z.string().min(1)),
    upgradePaths: z.record(z.string(), upgradePathSchema).optional(),
  }),
});

const decision = z.object({ name: personSchema.optional(), reason: reasonSchema });
const resumePlan = z.object({ accept: decision.nullable().default(null) });
const openStage = decision.extend({ stage: z.number().int().min(1) });
const deviceParams = idParams.extend({ deviceId: z.string().min(1).max(128) });

/** The operator API, `/api/v1`: JSON, bearer token, errors as `{error: Problem}`. */
export function operatorRoutes(
  app: FastifyInstance,
  parts: CloudParts,
  addresses: Promise<CloudAddresses>,
): void {
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) =>
    done(null, payload),
  );

  /** A typed name counts only where there are no accounts, which know who somebody is. */
  const decided = (
    { account }: FastifyRequest,
    { name: typed, reason }: z.infer<typeof decision>,
  ): Decision => {
    const { name, typesName } = parts.accounts.operator(account);
    if (!typesName) return { name, reason };
    if (typed === undefined) throw invalidRequest('name: this cloud has no accounts to tell it by');
    return { name: typed, reason };
  };

  app.get('/info', () => addresses);
  app.get('/operator', async ({ account }) => parts.accounts.operator(account));

  app.put('/products/:id', async (request) => {
    await parts.devices.putProduct(
      parse(productParams, request.params).id,
      parse(putProduct, request.body).name,
    );
    return {};
  });

  app.get('/devices', async (request) => parts.devices.list(parse(deviceQuery, request.query)));
  app.put('/devices', { bodyLimit: deviceBodyLimitBytes }, async (request) => {
    const { devices, rotate } = parse(putDevices, request.body);
    return parts.devices.put(devices, rotate);
  });

  app.post('/devices/remove', { bodyLimit: deviceBodyLimitBytes }, async (request) =>
    parts.engine.removeDevices(parse(removeDevices, request.body)),
  );

  app.put('/packages/:id', async (request) => {
    const body = parse(putPackage, request.body);
    requireSameId(idOf(request), body.package.id);
    return parts.packages.put(body.package, body.artifact);
  });
  app.put('/packages/:id/artifact', { bodyLimit: artifactMaxBytes }, async (request) => {
    if (request.headers['content-type'] !== 'application/octet-stream')
      throw invalidRequest('content-type: the artifact is sent as application/octet-stream');
    await parts.packages.receiveArtifact(idOf(request), request.body as AsyncIterable<Buffer>);
    return {};
  });

  app.put('/plans/:id', { bodyLimit: deviceBodyLimitBytes }, async (request) => {
    const { plan, policy } = parse(putPlan, request.body);
    requireSameId(idOf(request), plan.id);
    return parts.plans.publish(plan, policy);
  });
  for (const control of ['suspend', 'terminate'] as const)
    app.post(`/plans/:id/${control}`, async (request) =>
      parts.plans.control(idOf(request), control),
    );
  app.post('/plans/:id/resume', async (request) => {
    const { accept } = parse(resumePlan, request.body ?? {});
    return parts.plans.control(idOf(request), 'resume', accept && decided(request, accept));
  });
  app.post('/plans/:id/next-stage', async (request) => {
    const { stage, ...by } = parse(openStage, request.body);
    await parts.guard.openStage(idOf(request), stage, decided(request, by));
    return parts.plans.status(idOf(request));
  });
  consentRoutes(app, parts);
  app.get('/plans/:id', async (request) => {
    const status = parts.plans.status(idOf(request));
    return { ...status, held: parts.held.ofPlan(status) };
  });
  app.get('/plans/:id/devices', async (request) => {
    const planId = idOf(request);
    parts.plans.requirePlan(planId);
    const page = parts.rollout.list(planId, parse(rolloutQuery, request.query));
    return { ...page, items: parts.held.explain(planId, page.items) };
  });
  app.get('/plans/:id/devices/:deviceId/log', async (request) => {
    const { id, deviceId } = parse(deviceParams, request.params);
    parts.plans.requirePlan(id);
    return { items: parts.log.lines(id, deviceId) };
  });
  app.get('/plans/:id/history', async (request) => {
    const planId = idOf(request);
    parts.plans.requirePlan(planId);
    return { items: parts.history.points(planId) };
  });
}

function idOf(request: FastifyRequest): string {
  return parse(idParams, request.params).id;
}

function requireSameId(path: string, body: string): void {
  if (path !== body) throw invalidRequest(`id: the address says ${path}, the body ${body}`);
}
