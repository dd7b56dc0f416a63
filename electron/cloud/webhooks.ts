import { createHmac, randomUUID } from 'node:crypto';
import type Database from 'libsql';
import type { Webhook } from '../../shared/domain/operator.ts';
import type { PlanState } from '../../shared/domain/plan.ts';
import { problem } from '../../shared/domain/problem.ts';
import type { PlanService } from './plans/plan-service.ts';
import type { CloudDatabase } from './store/database.ts';
import { newSecret } from './store/secrets.ts';

const answerTimeoutMs = 10_000;
const firstRetryMs = 5_000;
const longestRetryMs = 3_600_000;
/** Then the event is given up: whoever did not listen for a day asks for the states anyway. */
const giveUpMs = 24 * 3_600_000;
/** Longer than this and a timer would fire at once (Node keeps 31 bits). */
const longestSleepMs = 3_600_000;

interface WebhookRow {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly device_failures: number;
  readonly created_at: string;
}

interface DeliveryRow {
  readonly id: number;
  readonly event: 'plan.state' | 'device.failed';
  readonly at: string;
  readonly plan_id: string;
  readonly device_id: string | null;
  readonly from_state: string | null;
  readonly to_state: string;
  readonly code: string | null;
  readonly attempts: number;
  readonly next_at_ms: number;
}

/**
 * Tells other systems what becomes of plans. The database itself notes each event for each webhook
 * in the transaction that made it, so none is lost to a crash; each is sent until it is taken, in
 * order, one at a time for each webhook. A receiver may see an event twice, with the same id.
 */
export class Webhooks {
  readonly #db: CloudDatabase;
  readonly #plans: PlanService;
  readonly #sql: Record<
    'all' | 'insert' | 'remove' | 'next' | 'waiting' | 'ended' | 'retry' | 'plan',
    Database.Statement
  >;
  /** The webhooks of the database: this is asked after every commit. */
  #hooks: readonly WebhookRow[];
  readonly #busy = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(db: CloudDatabase, plans: PlanService) {
    this.#db = db;
    this.#plans = plans;
    this.#sql = {
      all: db.prepare('SELECT * FROM webhooks ORDER BY created_at, id'),
      insert: db.prepare('INSERT INTO webhooks VALUES (?, ?, ?, ?, ?)'),
      remove: db.prepare('DELETE FROM webhooks WHERE id = ?'),
      next: db.prepare(
        'SELECT * FROM webhook_deliveries WHERE webhook_id = ? AND ended_at IS NULL ORDER BY id LIMIT 1',
      ),
      waiting: db.prepare(
        `SELECT count(*) AS waiting, (SELECT error FROM webhook_deliveries WHERE webhook_id = ?1 AND attempts > 0
           ORDER BY id DESC LIMIT 1) AS error
         FROM webhook_deliveries WHERE webhook_id = ?1 AND ended_at IS NULL`,
      ),
      ended: db.prepare(
        'UPDATE webhook_deliveries SET ended_at = ?, attempts = attempts + 1, error = ? WHERE id = ?',
      ),
      retry: db.prepare(
        'UPDATE webhook_deliveries SET attempts = attempts + 1, next_at_ms = ?, error = ? WHERE id = ?',
      ),
      plan: db.prepare(`SELECT product_id, body ->> 'name' AS name FROM plans WHERE id = ?`),
    };
    this.#hooks = this.#stored();
    db.onCommit(() => {
      if (this.#hooks.length > 0) this.#deliver();
    });
    this.#deliver();
  }

  #stored(): WebhookRow[] {
    return this.#sql.all.all() as WebhookRow[];
  }

  list(): Webhook[] {
    return this.#hooks.map((row) => {
      const { waiting, error } = this.#sql.waiting.get(row.id) as {
        waiting: number;
        error: string | null;
      };
      return {
        id: row.id,
        url: row.url,
        deviceFailures: row.device_failures === 1,
        createdAt: row.created_at,
        waiting,
        lastError: error,
      };
    });
  }

  /** Events from now on are sent to the address; the secret, told only here, signs them. */
  async add(url: string, deviceFailures: boolean): Promise<{ id: string; secret: string }> {
    const [id, secret] = [randomUUID(), newSecret()];
    await this.#db.write(() =>
      this.#sql.insert.run(id, url, secret, deviceFailures ? 1 : 0, new Date().toISOString()),
    );
    this.#hooks = this.#stored();
    return { id, secret };
  }

  /** Forgets the webhook and what it was not told yet. @throws ProblemError `webhook-missing` */
  async remove(id: string): Promise<void> {
    const { changes } = await this.#db.write(() => this.#sql.remove.run(id));
    this.#hooks = this.#stored();
    if (changes > 0) return;
    throw problem(
      'webhook-missing',
      'There is no such webhook',
      `No webhook has the id ${id}.`,
      'List the webhooks.',
      'usage',
    );
  }

  /** Ends what is being sent; it is sent again after the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#timer) clearTimeout(this.#timer);
    await Promise.all(this.#busy.values());
  }

  /** Sends what is due, and wakes up again when the next one is. */
  #deliver(): void {
    if (this.#stop.signal.aborted) return;
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const hook of this.#hooks) {
      const delivery = this.#sql.next.get(hook.id) as DeliveryRow | undefined;
      if (!delivery || this.#busy.has(hook.id)) continue;
      if (delivery.next_at_ms > Date.now()) wakeMs = Math.min(wakeMs, delivery.next_at_ms);
      else this.#begin(hook, delivery);
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (wakeMs === Number.POSITIVE_INFINITY) return;
    const sleepMs = Math.min(Math.max(wakeMs - Date.now(), 0), longestSleepMs);
    this.#timer = setTimeout(() => this.#deliver(), sleepMs).unref();
  }

  #begin(hook: WebhookRow, delivery: DeliveryRow): void {
    const sent = this.#send(hook, delivery)
      .then((error) => this.#note(delivery, error))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          process.stderr.write(`webhook: ${hook.url}: ${String(error)}\n`);
      })
      .finally(() => this.#busy.delete(hook.id));
    this.#busy.set(hook.id, sent);
    void sent.then(() => this.#deliver());
  }

  /** Why it was not taken, or null when it was. */
  async #send(hook: WebhookRow, delivery: DeliveryRow): Promise<string | null> {
    const body = JSON.stringify(this.#event(delivery));
    const signature = createHmac('sha256', hook.secret).update(body).digest('hex');
    try {
      const answer = await fetch(hook.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Slipway',
          'x-slipway-event': delivery.event,
          'x-slipway-delivery': String(delivery.id),
          'x-slipway-signature': `sha256=${signature}`,
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(answerTimeoutMs)]),
      });
      await answer.body?.cancel();
      return answer.ok ? null : `It answered with status ${answer.status}.`;
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      const { message, cause } = error as Error;
      return cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }

  async #note(delivery: DeliveryRow, error: string | null): Promise<void> {
    const nowMs = Date.now();
    const isGivenUp = error !== null && nowMs - Date.parse(delivery.at) > giveUpMs;
    const retryMs = Math.min(firstRetryMs * 2 ** delivery.attempts, longestRetryMs);
    await this.#db.write(() => {
      if (error === null || isGivenUp)
        this.#sql.ended.run(new Date(nowMs).toISOString(), error, delivery.id);
      else this.#sql.retry.run(nowMs + retryMs, error, delivery.id);
    });
  }

  #event(delivery: DeliveryRow) {
    const { id, event, at, plan_id: planId } = delivery;
    const plan = this.#sql.plan.get(planId) as { product_id: string; name: string };
    const about = { id, event, at, planId, planName: plan.name, productId: plan.product_id };
    if (event === 'device.failed')
      return { ...about, deviceId: delivery.device_id, code: delivery.code };
    const state = {
      from: delivery.from_state as PlanState | null,
      to: delivery.to_state as PlanState,
    };
    return { ...about, ...state, counts: this.#plans.status(planId).counts };
  }
}
