import { parseArgs } from 'node:util';
import { problem } from '../../shared/domain/problem.ts';
import type { CloudOptions } from './ota-cloud.ts';
import type { TlsFiles } from './tls-identity.ts';

export interface StartOptions extends CloudOptions {
  /** End when the parent goes away, which shows as the end of stdin. */
  readonly withParent: boolean;
}

const synopsis = `cloud --data DIR [--http PORT] [--mqtt PORT|URL] [--coaps PORT|off] [--coap PORT|off]
  [--lwm2m-proof version|result] [--ddi-proof version|result] [--cloudota on|off]
  [--host ADDR] [--tls-cert FILE --tls-key FILE] [--keep-days N] [--with-parent]`;

/**
 * Reads the options of the command line of the cloud's process; the login to an external broker comes
 * from SLIPWAY_MQTT_USERNAME and SLIPWAY_MQTT_PASSWORD, the token of DDI gateways from SLIPWAY_GATEWAY_TOKEN.
 * @throws ProblemError `usage`
 */
export function readStartOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const values = parseOptions(args);
  if (!values.data)
    throw usage('--data is missing: the folder for the database and the artifacts.');
  const username = env.SLIPWAY_MQTT_USERNAME;
  return {
    dataDir: values.data,
    host: values.host,
    httpPort: port('--http', values.http),
    mqtt: /^\d+$/.test(values.mqtt) ? port('--mqtt', values.mqtt) : brokerUrl(values.mqtt),
    coapPort: portOrOff('--coap', values.coap ?? (isLoopback(values.host) ? '0' : 'off')),
    coapsPort: portOrOff('--coaps', values.coaps),
    cloudOta: cloudOta(values.cloudota, values.host),
    lwm2mProof: proof('--lwm2m-proof', values['lwm2m-proof']),
    ddi: {
      proof: proof('--ddi-proof', values['ddi-proof']),
      gatewayToken: gatewayToken(env.SLIPWAY_GATEWAY_TOKEN),
    },
    mqttLogin: username ? { username, password: env.SLIPWAY_MQTT_PASSWORD ?? '' } : null,
    tls: tlsFiles(values['tls-cert'], values['tls-key']),
    keepDays: days(values['keep-days']),
    withParent: values['with-parent'],
  };
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        http: { type: 'string', default: '0' },
        mqtt: { type: 'string', default: '0' },
        // In the clear anyone on the network could pose as a device, so beyond loopback it has to be asked for.
        coap: { type: 'string' },
        coaps: { type: 'string', default: '0' },
        cloudota: { type: 'string' },
        'lwm2m-proof': { type: 'string', default: 'version' },
        'ddi-proof': { type: 'string', default: 'version' },
        host: { type: 'string', default: '127.0.0.1' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        'keep-days': { type: 'string', default: '400' },
        'with-parent': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function port(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw usage(`${option}: ${JSON.stringify(text)} is not a port (0 to 65535).`);
}

function portOrOff(option: string, text: string): number | null {
  return text === 'off' ? null : port(option, text);
}

/** Its devices prove nothing about who they are, so beyond loopback it has to be asked for as well. */
function cloudOta(text: string | undefined, host: string): boolean {
  if (text === undefined) return isLoopback(host);
  if (text === 'on' || text === 'off') return text === 'on';
  throw usage(`--cloudota: ${JSON.stringify(text)} is neither on nor off.`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function proof(option: string, text: string): 'version' | 'result' {
  if (text === 'version' || text === 'result') return text;
  throw usage(`${option}: ${JSON.stringify(text)} is neither version nor result.`);
}

/** It speaks for every device, so a short one is refused. */
function gatewayToken(text: string | undefined): string | null {
  if (!text) return null;
  if (/^[!-~]{32,128}$/.test(text)) return text;
  throw usage('SLIPWAY_GATEWAY_TOKEN: 32 to 128 letters, digits and signs, without spaces.');
}

function days(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) > 0) return Number(text);
  throw usage(`--keep-days: ${JSON.stringify(text)} is not a number of days.`);
}

function tlsFiles(certificatePath?: string, keyPath?: string): TlsFiles | null {
  if (certificatePath && keyPath) return { certificatePath, keyPath };
  if (!certificatePath && !keyPath) return null;
  throw usage('--tls-cert and --tls-key go together: the certificate and its key, as PEM files.');
}

function brokerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^mqtts?:$/.test(url.protocol) || !url.hostname)
    throw usage(
      `--mqtt: ${JSON.stringify(text)} is neither a port nor mqtt://HOST or mqtts://HOST.`,
    );
  // Anyone can read a command line, and this address is given to devices.
  if (url.username || url.password)
    throw usage('--mqtt: the login belongs in SLIPWAY_MQTT_USERNAME and SLIPWAY_MQTT_PASSWORD.');
  return `${url.protocol}//${url.host}`;
}

function usage(detail: string): Error {
  return problem('usage', 'The cloud cannot be started this way', detail, synopsis, 'usage');
}
