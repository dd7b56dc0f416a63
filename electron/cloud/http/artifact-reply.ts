import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ArtifactStore } from '../store/artifact-store.ts';
import type { ArtifactFile } from '../store/packages.ts';
import { namesEtag, parseRange } from './byte-range.ts';

/** Answers a GET or HEAD for an artifact: strong SHA-256 entity tag, conditions, one range, resume. */
export async function sendArtifact(
  request: FastifyRequest,
  reply: FastifyReply,
  store: ArtifactStore,
  artifact: ArtifactFile,
): Promise<FastifyReply> {
  const etag = `"${artifact.sha256}"`;
  const { headers } = request;
  void reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'private, no-transform');
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !namesEtag(ifMatch, etag, false)) return reply.code(412).send();
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && namesEtag(ifNoneMatch, etag, true))
    return reply.code(304).send();

  const ifRange = headers['if-range'];
  const rangeCounts = request.method === 'GET' && (ifRange === undefined || ifRange === etag);
  const range = rangeCounts ? parseRange(headers.range, artifact.sizeBytes) : null;
  if (range === 'unsatisfiable')
    return reply.code(416).header('content-range', `bytes */${artifact.sizeBytes}`).send();

  const { start, end } = range ?? { start: 0, end: artifact.sizeBytes - 1 };
  // Read first: should it fail, the answer is an error without the headers of an artifact.
  const body = request.method === 'HEAD' ? undefined : await store.read(artifact, start, end);
  if (range)
    void reply.code(206).header('content-range', `bytes ${start}-${end}/${artifact.sizeBytes}`);
  return reply
    .type('application/octet-stream')
    .header('content-length', end - start + 1)
    .send(body);
}
