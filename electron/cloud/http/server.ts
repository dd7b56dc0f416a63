import type { RequestListener } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { problem } from '../../../shared/domain/problem.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import type { Complaints } from '../complaints.ts';
import type { TlsIdentity } from '../tls-identity.ts';
import type { CloudAddresses, CloudParts } from '../types.ts';
import { guardOperators } from './access.ts';
import { administrationRoutes } from './administration.ts';
import { type AccessTokens, cloudOtaRoutes } from './cloudota.ts';
import { type DdiPolicy, deviceRoutes } from './ddi.ts';
import type { CloudMetrics } from './metrics.ts';
import { operatorRoutes } from './operator.ts';
import { planEventRoutes } from './plan-events.ts';
import { answerBroken, nameTroublemakers } from './troublemakers.ts';
import { answerError } from './problems.ts';
import type { RepeatedDownloads } from './repeated-downloads.ts';

const deviceBodyLimitBytes = 64 * 1024;
const operatorBodyLimitBytes = 4 * 1024 * 1024;
/** Long enough for an upload over a slow line, short enough to end a request that never arrives. */
const requestTimeoutMs = 600_000;

/** What the HTTP server needs beside the parts of the cloud. */
export interface HttpServerSetup {
  readonly keys: ArtifactKeys;
  /** Resolves once devices are served. */
  readonly addresses: Promise<CloudAddresses>;
  readonly metrics: CloudMetrics;
  readonly ddi: DdiPolicy;
  readonly complaints: Complaints;
  readonly downloads: RepeatedDownloads;
  /** Quectel's CloudOTA is not served when null. */
  readonly cloudOta: AccessTokens | null;
  /** Served without TLS when null. */
  readonly tls: TlsIdentity | null;
}

/** The HTTP server: operator API, device API, health, metrics. */
export function createHttpServer(parts: CloudParts, setup: HttpServerSetup): FastifyInstance {
  const { keys, addresses, metrics, ddi, complaints, downloads, cloudOta, tls } = setup;
  const app: FastifyInstance = Fastify({
    // Null is plain HTTP; Fastify's types tell the two servers apart, and nothing here does.
    https: tls as null,
    bodyLimit: deviceBodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    frameworkErrors: answerError,
    clientErrorHandler: (error, socket) => answerBroken(error, socket, complaints),
    routerOptions: { maxParamLength: 512 },
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(async (request) => {
    throw problem(
      'no-such-route',
      'There is nothing at this address',
      `${request.method} ${request.url.split('?')[0]}`,
      'Check the address.',
      'usage',
    );
  });
  app.get('/health', async () => ({ ok: true }));
  metrics.serve(app);
  void app.register(
    async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.bodyLimit ??= operatorBodyLimitBytes;
      });
      guardOperators(scope, parts);
      administrationRoutes(scope, parts);
      operatorRoutes(scope, parts, addresses);
      planEventRoutes(scope, parts);
    },
    { prefix: '/api/v1' },
  );
  void app.register(async (scope) => {
    nameTroublemakers(scope, complaints);
    deviceRoutes(scope, parts, keys, ddi, downloads);
  });
  if (cloudOta)
    void app.register(async (scope) => cloudOtaRoutes(scope, parts, keys, cloudOta), {
      prefix: '/v1',
    });
  const listeners = app.server.listeners('request') as RequestListener[];
  app.server.removeAllListeners('request').on('request', (request, response) => {
    if (downloads.answer(request, response)) return;
    for (const listener of listeners) listener(request, response);
  });
  return app;
}
