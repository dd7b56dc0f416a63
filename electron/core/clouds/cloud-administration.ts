import { z } from 'zod';
import {
  type Account,
  type AuditEntry,
  type OperatorRole,
  type Webhook,
  accountSchema,
  auditEntrySchema,
  webhookSchema,
} from '../../../shared/domain/operator.ts';
import type { Page } from '../../../shared/domain/cloud.ts';
import type { LocalCloud } from './local-cloud.ts';

const itemsOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });
const nothing = z.object({});

/** What only an administrator asks of a cloud: accounts, the audit log, webhooks. */
export class CloudAdministration {
  readonly #cloud: LocalCloud;

  constructor(cloud: LocalCloud) {
    this.#cloud = cloud;
  }

  async accounts(): Promise<Account[]> {
    return (await this.#cloud.ask(itemsOf(accountSchema), { url: '/accounts' })).items;
  }

  /** The token of the new account is told only here. */
  addAccount(name: string, role: OperatorRole): Promise<{ token: string }> {
    const data = { name, role };
    return this.#cloud.ask(z.object({ token: z.string() }), {
      method: 'post',
      url: '/accounts',
      data,
    });
  }

  async removeAccount(name: string): Promise<void> {
    await this.#cloud.ask(nothing, {
      method: 'delete',
      url: `/accounts/${encodeURIComponent(name)}`,
    });
  }

  /** Newest first. */
  audit(params: { readonly offset: number; readonly limit: number }): Promise<Page<AuditEntry>> {
    const page = z.object({ total: z.number(), items: z.array(auditEntrySchema) });
    return this.#cloud.ask(page, { url: '/audit', params });
  }

  async webhooks(): Promise<Webhook[]> {
    return (await this.#cloud.ask(itemsOf(webhookSchema), { url: '/webhooks' })).items;
  }

  /** The secret that signs its events is told only here. */
  addWebhook(url: string, deviceFailures: boolean): Promise<{ id: string; secret: string }> {
    const data = { url, deviceFailures };
    const made = z.object({ id: z.string(), secret: z.string() });
    return this.#cloud.ask(made, { method: 'post', url: '/webhooks', data });
  }

  async removeWebhook(id: string): Promise<void> {
    await this.#cloud.ask(nothing, {
      method: 'delete',
      url: `/webhooks/${encodeURIComponent(id)}`,
    });
  }
}
