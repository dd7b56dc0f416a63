import { createHash, createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { problem } from '../../../shared/domain/problem.ts';
import { type DeviceReport, failureCode } from '../plans/component-steps.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import { secretMatches, hashSecret } from '../store/secrets.ts';
import type { CloudParts } from '../types.ts';
import { parse } from './problems.ts';

/** How long an access token is good; clients fetch one for each visit. */
const tokenLifeMs = 3_600_000;

const imei = z.string().regex(/^\d{15}$/, 'an IMEI: 15 digits');
const tokenQuery = z.object({ imei, secret: z.string().max(64) });
/** Clients differ in what they send for what they do not know. */
const signal = z.coerce.number().optional().catch(undefined);
const firmwareQuery = z.object({
  imei,
  version: z.string().min(1).max(128),
  battery: signal,
  rsrp: signal,
});
const statusBody = z.object({
  imei,
  version: z.string().min(1).max(128),
  code: z.coerce.number().int(),
  msg: z.string().max(256).optional(),
});
const messageBody = z.object({
  imei,
  version: z.string().max(128).optional(),
  battery: signal,
  signalStrength: signal,
});

/** What the codes of `/fota/status/report` mean; 1 and 2 are not in use. */
const reports: Readonly<Record<number, DeviceReport>> = {
  0: { kind: 'failed', code: 'do-not-upgrade' },
  3: { kind: 'progress', state: 'downloading', progress: null },
  4: { kind: 'progress', state: 'downloadSucceeded', progress: 1 },
  5: { kind: 'failed', code: 'download-failed' },
  6: { kind: 'progress', state: 'upgrading', progress: null },
  8: { kind: 'failed', code: 'upgrade-failed' },
};
const upgradeSuccess = 7;

/**
 * The device API of Quectel's CloudOTA, version 1, for modules whose firmware speaks it: `/v1/oauth`
 * and `/v1/fota`. A device is known by its IMEI, which is its id here, and upgrades one component,
 * the module's firmware. The secret that it shows is made of its IMEI alone by a rule that is
 * public, so whoever knows an IMEI may pose as the device.
 */
export function cloudOtaRoutes(
  app: FastifyInstance,
  parts: CloudParts,
  keys: ArtifactKeys,
  tokens: AccessTokens,
): void {
  /** The component that CloudOTA is about: the one job there is, else the one version that is known. */
  const componentOf = async (deviceId: string): Promise<string | null> => {
    const job = await parts.engine.offer(deviceId);
    if (job) return job.componentId;
    const known = Object.keys(parts.devices.versions(deviceId));
    return known.length === 1 ? (known[0] ?? null) : null;
  };
  const known = async (request: FastifyRequest, deviceId: string): Promise<void> => {
    const token = request.headers.access_token;
    if (!tokens.fits(deviceId, typeof token === 'string' ? token : '')) {
      await parts.limits.ofFailure(request.ip);
      throw unauthorized();
    }
    await parts.limits.ofDevice(deviceId);
    parts.devices.seen(deviceId);
  };

  app.get('/oauth/token', async (request) => {
    const { imei: deviceId, secret } = parse(tokenQuery, request.query);
    const expected = createHash('md5').update(`QUEC${deviceId}TEL`).digest('hex');
    const isRight = secretMatches(secret.toLowerCase(), hashSecret(expected));
    if (!isRight || !parts.devices.seen(deviceId)) {
      await parts.limits.ofFailure(request.ip);
      throw unauthorized();
    }
    return { code: 200, data: { access_Token: tokens.issue(deviceId) } };
  });

  app.get('/fota/fw', async (request) => {
    const { imei: deviceId, version, battery, rsrp } = parse(firmwareQuery, request.query);
    await known(request, deviceId);
    const signals = { batteryPercent: battery, rsrpDbm: rsrp };
    await parts.consents.reportSignals(deviceId, signals, { isAsking: true });
    const componentId = await componentOf(deviceId);
    if (componentId !== null)
      await parts.engine.reportVersions(deviceId, { [componentId]: version }, 'cloudota');
    const offered = await parts.engine.offer(deviceId);
    const job = offered && (await parts.engine.begin(deviceId, offered.actionId));
    if (job === null || typeof job === 'string') {
      // CloudOTA has no question for a user; who asks by the operator API sees that the plan has arrived.
      await parts.consents.invitation(deviceId);
      return { code: 204, action: 0 };
    }
    const { actionId, pkg } = job;
    const name = encodeURIComponent(pkg.artifact.name);
    return {
      code: 200,
      action: 1,
      url: `${request.protocol}://${request.host}/a/${actionId}/${keys.keyOf(actionId)}/${name}`,
      targetVersion: pkg.targetVersion,
      fileMD5: pkg.hashes?.md5 ?? '',
      filesize: pkg.artifact.sizeBytes,
    };
  });

  app.post('/fota/status/report', async (request) => {
    const { imei: deviceId, version, code, msg } = parse(statusBody, request.body);
    await known(request, deviceId);
    const job = (await parts.engine.offer(deviceId)) ?? parts.engine.unprovenJob(deviceId);
    if (!job) return { code: 410, msg: 'The device has no open job.' };
    if (code === upgradeSuccess) {
      // The version that runs is what counts, whatever the code says.
      const success = { kind: 'succeeded', version, protocol: 'cloudota' } as const;
      await parts.engine.report(deviceId, job.actionId, success);
      return { code: 200 };
    }
    const report = reports[code];
    if (!report) throw unknownCode(code);
    const named =
      report.kind === 'failed' ? { ...report, code: failureCode(msg, report.code) } : report;
    await parts.engine.report(deviceId, job.actionId, named);
    return { code: 200 };
  });

  app.post('/fota/msg/report', async (request) => {
    const { imei: deviceId, battery, signalStrength } = parse(messageBody, request.body);
    await known(request, deviceId);
    const signals = { batteryPercent: battery, rsrpDbm: signalStrength };
    await parts.consents.reportSignals(deviceId, signals);
    return { code: 200 };
  });
}

/** Access tokens that need no memory: who they are for, until when, and a seal. */
export class AccessTokens {
  readonly #secret: string;
  readonly #nowMs: () => number;

  /** @param secret known to this cloud alone, and the same after a restart */
  constructor(secret: string, nowMs: () => number = Date.now) {
    this.#secret = secret;
    this.#nowMs = nowMs;
  }

  issue(deviceId: string): string {
    return this.#sealed(deviceId, this.#nowMs() + tokenLifeMs);
  }

  fits(deviceId: string, token: string): boolean {
    const untilMs = Number(/^(\d{13})\./.exec(token)?.[1]);
    if (!(untilMs > this.#nowMs())) return false;
    return secretMatches(token, hashSecret(this.#sealed(deviceId, untilMs)));
  }

  #sealed(deviceId: string, untilMs: number): string {
    const seal = createHmac('sha256', this.#secret).update(`cloudota ${deviceId} ${untilMs}`);
    return `${untilMs}.${seal.digest('base64url')}`;
  }
}

function unauthorized(): Error {
  return problem(
    'unauthorized',
    'The device is not known or its token is wrong',
    'There is no device with this IMEI and secret, or its access token is over.',
    'Add the device with its IMEI as the id, and fetch a token from /v1/oauth/token.',
    'usage',
  );
}

function unknownCode(code: number): Error {
  return problem(
    'invalid-request',
    'The request is not valid',
    `code: ${code} is none of 0, 3, 4, 5, 6, 7, 8.`,
    'Correct the named field and send it again.',
    'usage',
  );
}
