import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Account, type OperatorRole, roleSuffices } from '../../../shared/domain/operator.ts';
import { problem, toProblem } from '../../../shared/domain/problem.ts';
import { sha256 } from '../../files/sha256.ts';
import type { RateLimits } from '../rate-limits.ts';
import type { AccountStore } from '../store/accounts.ts';
import type { AuditLog } from '../store/audit-log.ts';
import { httpStatus } from './problems.ts';

/** A longer body is told by its size and SHA-256 in the audit log. */
const auditedBodyChars = 2000;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, on operator routes. */
    account: Account;
  }
  interface FastifyContextConfig {
    /** The role that a route asks for; unless given, viewer to read and operator for the rest. */
    readonly role?: OperatorRole;
  }
}

/** Lets operators in by their token, as far as their role reaches, and notes all that they do. */
export function guardOperators(
  app: FastifyInstance,
  parts: {
    readonly accounts: AccountStore;
    readonly audit: AuditLog;
    readonly limits: RateLimits;
  },
): void {
  const problems = new WeakMap<FastifyRequest, string>();
  app.decorateRequest('account', null as unknown as Account);
  app.addHook('onRequest', async (request) => {
    const account = accountOf(request, parts.accounts);
    if (!account) {
      await parts.limits.ofFailure(request.ip);
      throw unauthorized();
    }
    request.account = account;
    const needed = request.routeOptions.config.role ?? (isReading(request) ? 'viewer' : 'operator');
    if (!roleSuffices(account.role, needed)) throw forbidden(account, needed);
  });
  app.addHook('onError', async (request, _reply, error) => {
    problems.set(
      request,
      'problem' in error ? (error.problem as { code: string }).code : error.code,
    );
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (isReading(request) || !request.account) return payload;
    const entry = {
      account: request.account.name,
      address: request.ip,
      method: request.method,
      path: request.url,
      body: auditedBody(request.body),
      status: reply.statusCode,
      problem: problems.get(request) ?? null,
    };
    try {
      await parts.audit.add(entry);
    } catch (error) {
      const failure = toProblem(error);
      process.stderr.write(`not noted: ${entry.method} ${entry.path}: ${failure.detail}\n`);
      // What is refused anyway is told as such; what was done and could not be noted is not told as done.
      if (reply.statusCode >= 400) return payload;
      void reply.code(httpStatus(failure));
      return JSON.stringify({ error: failure });
    }
    return payload;
  });
}

/** Whose token the request carries, or null. */
export function accountOf(
  { headers }: Pick<FastifyRequest, 'headers'>,
  accounts: AccountStore,
): Account | null {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  return token === undefined ? null : accounts.find(token);
}

const isReading = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';

function auditedBody(body: unknown): string | null {
  // An artifact comes as a stream, and its package tells its SHA-256.
  if (body === undefined || body === null || typeof body !== 'object' || 'pipe' in body)
    return null;
  const text = JSON.stringify(body);
  if (text.length <= auditedBodyChars) return text;
  return JSON.stringify({ sha256: sha256(text), sizeBytes: Buffer.byteLength(text) });
}

function unauthorized(): Error {
  return problem(
    'unauthorized',
    'The operator token is missing or wrong',
    'The Authorization header does not carry the token of an account of this cloud.',
    'Send "Authorization: Bearer TOKEN" with the token that the cloud printed at its start, or with that of an account.',
    'usage',
  );
}

function forbidden({ name, role }: Account, needed: OperatorRole): Error {
  return problem(
    'forbidden',
    'The account may not do this',
    `${name} is ${role === 'viewer' ? 'a viewer' : 'an operator'}; this needs the role ${needed}.`,
    'Ask someone with that role.',
    'gate',
  );
}
