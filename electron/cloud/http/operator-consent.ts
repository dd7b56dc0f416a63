import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { deviceSchema } from '../../../shared/domain/plan.ts';
import type { ConsentAct } from '../plans/consent.ts';
import type { CloudParts } from '../types.ts';
import { invalidRequest, parse } from './problems.ts';

const kinds = ['confirm', 'appoint', 'cancel', 'retry'] as const;
const planParams = z.object({ id: z.string().min(1).max(128) });
const deviceParams = planParams.extend({ device: deviceSchema.shape.id });
const autoConfirmParams = deviceParams.pick({ device: true });
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const windowSchema = z.object({ start: instant, end: instant });
const manySchema = z.object({ devices: z.array(deviceSchema.shape.id).min(1).max(10_000) });

/** What users do about their device in a plan, done for them by an operator or an app; one device, or many. */
export function consentRoutes(app: FastifyInstance, { consents, devices }: CloudParts): void {
  for (const kind of kinds) {
    app.post(`/plans/:id/devices/:device/${kind}`, async (request) => {
      const { id, device } = parse(deviceParams, request.params);
      await consents.actOn(id, device, readAct(kind, request.body), request.account.name);
      return {};
    });
    app.post(`/plans/:id/devices/${kind}`, async (request) => {
      const { id } = parse(planParams, request.params);
      const ids = parse(manySchema, request.body).devices;
      const act = readAct(kind, request.body);
      const failed = await consents.act(id, [...new Set(ids)], act, request.account.name);
      return { done: new Set(ids).size - failed.length, failed };
    });
  }
  app.put('/devices/:device/auto-confirm', async (request) => {
    const { device } = parse(autoConfirmParams, request.params);
    const { active } = parse(z.object({ active: z.boolean() }), request.body);
    if (devices.get(device) === null) throw invalidRequest(`device: there is no ${device}`);
    await consents.reportSignals(device, { autoConfirm: active });
    return {};
  });
}

function readAct(kind: (typeof kinds)[number], body: unknown): ConsentAct {
  if (kind !== 'appoint') return { kind };
  const { start, end } = parse(windowSchema, body);
  return { kind, fromMs: start, toMs: end };
}
