import Fastify, { type FastifyInstance } from 'fastify';
import { problem } from '../../../shared/domain/problem.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import type { CloudAddresses, CloudParts } from '../types.ts';
import { deviceRoutes } from './ddi.ts';
import { operatorRoutes } from './operator.ts';
import { answerError } from './problems.ts';

const deviceBodyLimitBytes = 64 * 1024;
const operatorBodyLimitBytes = 4 * 1024 * 1024;
/** Long enough for an upload over a slow line, short enough to end a request that never arrives. */
const requestTimeoutMs = 600_000;

/** The HTTP server: operator API, device API, health. `addresses` resolves once devices are served. */
export function createHttpServer(
  parts: CloudParts,
  keys: ArtifactKeys,
  operatorToken: string,
  addresses: Promise<CloudAddresses>,
): FastifyInstance {
  const app = Fastify({
    bodyLimit: deviceBodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    frameworkErrors: answerError,
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
  app.get('/api/v1/health', async () => ({ ok: true }));
  void app.register(
    async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.bodyLimit ??= operatorBodyLimitBytes;
      });
      operatorRoutes(scope, parts, operatorToken, addresses);
    },
    { prefix: '/api/v1' },
  );
  void app.register(async (scope) => deviceRoutes(scope, parts, keys));
  return app;
}
