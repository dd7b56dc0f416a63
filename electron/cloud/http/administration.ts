import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { accountSchema, webhookSchema } from '../../../shared/domain/operator.ts';
import type { AccountStore } from '../store/accounts.ts';
import type { AuditLog } from '../store/audit-log.ts';
import type { Webhooks } from '../webhooks.ts';
import { parse } from './problems.ts';

const page = z.object({
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
const accountName = accountSchema.pick({ name: true });
const postAccount = accountSchema.pick({ name: true, role: true });
const postWebhook = z.object({
  url: webhookSchema.shape.url,
  deviceFailures: z.boolean().default(false),
});
const webhookId = z.object({ id: z.uuid() });

/** The part of the operator API that asks for the role admin: accounts, what was done, webhooks. */
export function administrationRoutes(
  app: FastifyInstance,
  parts: {
    readonly accounts: AccountStore;
    readonly audit: AuditLog;
    readonly webhooks: Webhooks;
  },
): void {
  const { accounts, audit, webhooks } = parts;
  const admin = { config: { role: 'admin' as const } };

  app.get('/accounts', admin, async () => ({ items: accounts.list() }));
  app.post('/accounts', admin, async (request) => {
    const { name, role } = parse(postAccount, request.body);
    return accounts.add(name, role);
  });
  app.delete('/accounts/:name', admin, async (request) => {
    await accounts.remove(parse(accountName, request.params).name);
    return {};
  });

  app.get('/audit', admin, async (request) => audit.list(parse(page, request.query)));

  app.get('/webhooks', admin, async () => ({ items: webhooks.list() }));
  app.post('/webhooks', admin, async (request) => {
    const { url, deviceFailures } = parse(postWebhook, request.body);
    return webhooks.add(url, deviceFailures);
  });
  app.delete('/webhooks/:id', admin, async (request) => {
    await webhooks.remove(parse(webhookId, request.params).id);
    return {};
  });
}
