import type { FastifyRequest } from 'fastify';
import { problem } from '../../../shared/domain/problem.ts';
import { hashSecret, secretMatches } from '../store/secrets.ts';
import type { CloudParts } from '../types.ts';

/** The one tenant; as in hawkBit, its name is written in capitals or small letters. */
const tenant = 'default';

declare module 'fastify' {
  interface FastifyRequest {
    /** The device that proved itself, on device routes. */
    deviceId: string;
  }
}

/** Lets DDI devices in: by the secret of each, or by the gateway's, which speaks for all that use HTTP. */
export class DdiAccess {
  readonly #parts: CloudParts;
  readonly #gatewaySha256: Buffer | null;

  /** @param gatewayToken what a gateway shows instead of the secrets of its devices; null lets none in */
  constructor(parts: CloudParts, gatewayToken: string | null) {
    this.#parts = parts;
    this.#gatewaySha256 = gatewayToken === null ? null : hashSecret(gatewayToken);
  }

  /** Sets `deviceId` of a request below the address of a device. @throws ProblemError `unauthorized`, `no-such-route` */
  async admit(request: FastifyRequest): Promise<void> {
    const params = request.params as { tenant: string; id: string };
    if (params.tenant.toLowerCase() !== tenant) throw tenantUnknown(params.tenant);
    if (!this.isDevice(request, params.id)) {
      await this.#parts.limits.ofFailure(request.ip);
      throw unauthorized();
    }
    request.deviceId = params.id;
  }

  /** Whether a request proves that it comes from this device, or from a gateway for it. */
  isDevice({ headers }: FastifyRequest, deviceId: string): boolean {
    const { devices } = this.#parts;
    const [, kind, token = ''] =
      /^(Target|Gateway)Token (\S{1,128})$/.exec(headers.authorization ?? '') ?? [];
    if (kind !== 'Gateway') return devices.authenticate(deviceId, token);
    const matches = this.#gatewaySha256 !== null && secretMatches(token, this.#gatewaySha256);
    if (!matches || devices.get(deviceId)?.transport !== 'http') return false;
    devices.heard(deviceId);
    return true;
  }
}

/** @returns the answer to who shows no secret, or a wrong one */
export function unauthorized(): Error {
  return problem(
    'unauthorized',
    'The device is not known or its secret is wrong',
    'The Authorization header does not carry the TargetToken of this device.',
    'Send "Authorization: TargetToken SECRET" with the secret that was given out when the device was added.',
    'usage',
  );
}

function tenantUnknown(name: string): Error {
  return problem(
    'no-such-route',
    'There is no such tenant',
    `${JSON.stringify(name.slice(0, 64))} is no tenant of this cloud.`,
    'Use the tenant "default".',
    'usage',
  );
}
