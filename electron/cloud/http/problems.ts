import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, ProblemError, problem, toProblem } from '../../../shared/domain/problem.ts';
import type { z } from 'zod';

const statusByCode: Readonly<Record<string, number>> = {
  unauthorized: 401,
  forbidden: 403,
  'account-missing': 404,
  'webhook-missing': 404,
  'account-exists': 409,
  'too-many-requests': 429,
  'plan-missing': 404,
  'job-unknown': 404,
  'no-such-route': 404,
  'product-missing': 404,
  'package-missing': 409,
  'package-exists': 409,
  'plan-exists': 409,
  'plan-state': 409,
  'stop-not-accepted': 409,
  'nothing-to-accept': 409,
  'last-stage': 409,
  'job-gone': 410,
  'body-too-large': 413,
  'artifact-size': 422,
  'artifact-hash': 422,
  'package-mismatch': 422,
  'too-many-devices': 422,
  'no-devices': 422,
  'plan-invalid': 422,
  'plan-over': 422,
  'plan-silent': 409,
  'device-not-in-plan': 404,
  'device-missing': 404,
  'device-in-plan': 409,
  'verification-refused': 409,
  'device-state': 409,
  'source-changed': 409,
  'appointment-window': 422,
  'disk-full': 507,
};

/** The HTTP status that goes with a problem. */
export function httpStatus({ code, kind }: Problem): number {
  return statusByCode[code] ?? (kind === 'usage' ? 400 : kind === 'gate' ? 409 : 500);
}

/** Answers anything thrown as `{error: Problem}`. */
export function answerError(
  error: FastifyError | Error,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const found = toRequestProblem(error);
  const status = httpStatus(found);
  if (status >= 500) process.stderr.write(`${error.stack ?? String(error)}\n`);
  void reply.code(status).send({ error: found });
}

/** What anything thrown by a route or by the framework means to who asked. */
export function toRequestProblem(error: FastifyError | Error): Problem {
  if (error instanceof ProblemError) return error.problem;
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return problem(
      'body-too-large',
      'The request is too large',
      error.message,
      'Send it in smaller parts.',
      'usage',
    ).problem;
  }
  if (statusCode < 500) return invalidRequest(error.message).problem;
  return toProblem(error);
}

/** A request that the API cannot read. */
export function invalidRequest(detail: string): ProblemError {
  return problem(
    'invalid-request',
    'The request is not valid',
    detail,
    'Correct the named field and send it again.',
    'usage',
  );
}

/** Parses with zod and names the first wrong field. @throws ProblemError `invalid-request` */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.map(String).join('.') || 'body';
  throw invalidRequest(`${where}: ${issue?.message ?? 'not valid'}`);
}

/** A job that is over. */
export function jobGone(actionId: number): Error {
  return problem(
    'job-gone',
    'The job is over',
    `Action ${actionId} is closed.`,
    'Poll again for the next one.',
    'usage',
  );
}

/** A job that is none of the device's. */
export function jobUnknown(actionId: number): Error {
  return problem(
    'job-unknown',
    'There is no such job for this device',
    `Action ${actionId} is not open for this device.`,
    'Poll again and follow the link in the answer.',
    'usage',
  );
}
