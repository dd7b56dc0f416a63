import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ArtifactStore } from '../store/artifact-store.ts';
import type { ArtifactFile } from '../store/packages.ts';
import { type ByteRange, namesEtag, parseRange } from './byte-range.ts';

/** What a GET or HEAD for an artifact is answered with. */
export interface ArtifactAnswer {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes to send; null for an answer without any. */
  readonly body: ByteRange | null;
}

/** Strong SHA-256 entity tag, conditions, one range, resume (RFC 9110, 13 and 14). */
export function artifactAnswer(
  {
    method,
    headers,
  }: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders },
  { sha256, sizeBytes }: ArtifactFile,
): ArtifactAnswer {
  const etag = `"${sha256}"`;
  const common = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-transform',
  };
  const empty = { ...common, 'content-length': '0' };
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !namesEtag(ifMatch, etag, false))
    return { status: 412, headers: empty, body: null };
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && namesEtag(ifNoneMatch, etag, true))
    return { status: 304, headers: common, body: null };

  const ifRange = headers['if-range'];
  const rangeCounts = method === 'GET' && (ifRange === undefined || ifRange === etag);
  const range = rangeCounts ? parseRange(headers.range, sizeBytes) : null;
  if (range === 'unsatisfiable')
    return {
      status: 416,
      headers: { ...empty, 'content-range': `bytes */${sizeBytes}` },
      body: null,
    };

  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
  const whole = {
    ...common,
    'content-type': 'application/octet-stream',
    'content-length': String(end - start + 1),
  };
  const body = method === 'HEAD' ? null : { start, end };
  if (!range) return { status: 200, headers: whole, body };
  return {
    status: 206,
    headers: { ...whole, 'content-range': `bytes ${start}-${end}/${sizeBytes}` },
    body,
  };
}

/** Answers a GET or HEAD for an artifact. */
export async function sendArtifact(
  request: FastifyRequest,
  reply: FastifyReply,
  store: ArtifactStore,
  artifact: ArtifactFile,
): Promise<FastifyReply> {
  const { status, headers, body } = artifactAnswer(request, artifact);
  // Read first: should it fail, the answer is an error without the headers of an artifact.
  const bytes = body ? await store.read(artifact, body.start, body.end) : undefined;
  return reply.code(status).headers(headers).send(bytes);
}
