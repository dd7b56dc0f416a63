import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Complaints } from '../complaints.ts';
import { toRequestProblem } from './problems.ts';

/** What a sound device is never told; that a job is over or unknown is ordinary. */
const namedProblems: readonly string[] = [
  'unauthorized',
  'invalid-request',
  'body-too-large',
  'too-many-requests',
];

const statusOfBroken: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** Names devices that send what is not to be read, or too much, and addresses that show wrong secrets. */
export function nameTroublemakers(app: FastifyInstance, complaints: Complaints): void {
  app.addHook('onError', async (request, _reply, error) => {
    const { code, title, detail } = toRequestProblem(error);
    if (!namedProblems.includes(code)) return;
    if (request.deviceId) return complaints.about(request.deviceId, detail);
    complaints.about(request.ip, `${title} (${claimedBy(request)})`);
  });
}

function claimedBy({ method, params }: FastifyRequest): string {
  const { id } = (params ?? {}) as { id?: string };
  return id === undefined ? method : JSON.stringify(id.slice(0, 128));
}

/** Answers what is no HTTP, is too long, or comes too slowly, and closes the connection. */
export function answerBroken(
  error: NodeJS.ErrnoException,
  socket: Socket,
  complaints: Complaints,
): void {
  // Who went away in the middle is gone, and has done nothing wrong.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = statusOfBroken[error.code ?? ''] ?? '400 Bad Request';
  complaints.about(socket.remoteAddress ?? 'connection', `${status}: ${error.message}`);
  if (!socket.writable) return void socket.destroy();
  const head = `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
  socket.end(head, () => socket.destroy());
}
