import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CloudParts } from '../types.ts';
import { accountOf } from './access.ts';
import { parse } from './problems.ts';

const planParams = z.object({ id: z.string().min(1).max(128) });
/** Proves to both sides that the other is there, and that the account still is. */
const heartbeatMs = 15_000;
/** Who leaves this much unread is told to begin anew, with the state as it then is. */
const maxUnreadBytes = 1024 * 1024;

/**
 * `GET /plans/{id}/events`: how a plan goes, as Server-Sent Events (WHATWG HTML, 9.2): first
 * `snapshot`, then a `change` for whatever changed since the one before, each with its number as id.
 */
export function planEventRoutes(app: FastifyInstance, parts: CloudParts): void {
  app.get('/plans/:id/events', async (request, reply) => {
    const { id: planId } = parse(planParams, request.params);
    const progress = parts.plans.progress(planId);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const send = (event: 'snapshot' | 'change', seq: number, data: unknown): void => {
      if (raw.writableLength > maxUnreadBytes) raw.destroy();
      else raw.write(`event: ${event}\nid: ${seq}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    const { changes } = parts;
    send('snapshot', changes.seq, {
      seq: changes.seq,
      sinceMs: Date.now(),
      deviceIds: null,
      progress,
    });
    const unfollow = changes.follow(planId, (change) => send('change', change.seq, change));
    const heartbeat = setInterval(() => {
      if (accountOf(request, parts.accounts)) raw.write(': still here\n\n');
      else raw.end();
    }, heartbeatMs);
    raw.once('close', () => {
      clearInterval(heartbeat);
      unfollow();
    });
  });
}
