import type { FastifyInstance, RouteShorthandOptions } from 'fastify';
import { z } from 'zod';
import { failureCode } from '../plans/component-steps.ts';
import type { CloudParts } from '../types.ts';
import { actionParams, deployment, deviceRoot, jobHref } from './ddi-deployment.ts';
import { jobGone, jobUnknown, parse } from './problems.ts';

const confirmationSchema = z.object({
  confirmation: z.enum(['confirmed', 'denied']),
  code: z.number().int().nullish(),
  details: z.array(z.string()).nullish(),
});
/** Who switched automatic confirmation on and why; the cloud keeps only that it is on. */
const autoConfirmSchema = z
  .object({ initiator: z.string().max(256).nullish(), remark: z.string().max(4096).nullish() })
  .nullish();

/**
 * The confirmation of manual plans by a device's user (Eclipse hawkBit DDI v1, `confirmationBase`).
 * `denied` ends the device's part of the plan; hawkBit would go on asking.
 */
export function confirmationRoutes(
  app: FastifyInstance,
  parts: CloudParts,
  base: string,
  device: RouteShorthandOptions,
): void {
  const { consents, signals } = parts;
  const root = `${base}/confirmationBase`;

  app.get(root, device, async (request) => {
    const own = `${deviceRoot(request)}/confirmationBase`;
    const invitation = await consents.invitation(request.deviceId);
    const active = signals.get(request.deviceId).autoConfirm;
    const change = active ? 'deactivateAutoConfirm' : 'activateAutoConfirm';
    return {
      autoConfirm: { active },
      _links: {
        [change]: { href: `${own}/${change}` },
        ...(invitation ? { confirmationBase: { href: jobHref(own, invitation.job) } } : {}),
      },
    };
  });

  for (const [path, autoConfirm] of [
    ['activateAutoConfirm', true],
    ['deactivateAutoConfirm', false],
  ] as const)
    app.post(`${root}/${path}`, device, async (request) => {
      parse(autoConfirmSchema, request.body);
      await consents.reportSignals(request.deviceId, { autoConfirm });
      return {};
    });

  app.get(`${root}/:actionId`, device, async (request) => {
    const { actionId } = parse(actionParams, request.params);
    const invitation = await consents.invitation(request.deviceId);
    if (invitation?.job.actionId !== actionId) throw jobUnknown(actionId);
    return {
      id: String(actionId),
      confirmation: deployment(invitation.job, deviceRoot(request)),
      actionHistory: {
        status: 'WAIT_FOR_CONFIRMATION',
        messages: Object.entries(invitation.texts).map(
          ([language, text]) => `${language}: ${text}`,
        ),
      },
    };
  });

  app.post(`${root}/:actionId/feedback`, device, async (request) => {
    const { actionId } = parse(actionParams, request.params);
    const { confirmation, code } = parse(confirmationSchema, request.body);
    const outcome = await consents.answerJob(
      request.deviceId,
      actionId,
      confirmation === 'confirmed'
        ? { kind: 'confirm' }
        : { kind: 'cancel', code: failureCode(code && code > 0 ? code : null, 'user-denied') },
    );
    if (outcome === 'gone') throw jobGone(actionId);
    if (outcome === 'unknown') throw jobUnknown(actionId);
    return {};
  });
}
