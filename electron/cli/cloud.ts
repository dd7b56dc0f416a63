import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type FleetUsers, fleetUsersSchema } from '../../shared/contract/cloud-calls.ts';
import type { Transport } from '../../shared/domain/plan.ts';
import { ProblemError, problem, toProblem } from '../../shared/domain/problem.ts';
import { ChildEntry } from '../core/clouds/child-entry.ts';
import { LocalCloud } from '../core/clouds/local-cloud.ts';
import { administrationCommands } from './cloud-administration.ts';
import { backupCommands } from './cloud-backup.ts';
import { printProblem, printResult } from './output.ts';
import { operatorToken } from './operator-token.ts';
import { type FleetTarget, runScratchRollout, serveFleet } from './scratch-rollout.ts';
import { deviceCount } from './device-count.ts';
import { type GlobalOptions, withSession, workspaceFolder } from './session.ts';

const imageMaxBytes = 500 * 1024 * 1024;

const share = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('a share from 0 to 1, such as 0.1');
  return value;
};

const sizeUnits: Record<string, number> = { '': 1, k: 1024, m: 1024 * 1024 };

const size = (text: string): number => {
  const match = /^(\d+)([km]?)i?b?$/i.exec(text);
  const value = Number(match?.[1]) * (sizeUnits[(match?.[2] ?? '').toLowerCase()] ?? 1);
  if (!(value > 0 && value <= imageMaxBytes))
    throw new InvalidArgumentError('a size such as 262144, 256K or 1M, at most 500M');
  return value;
};

/** `slipway cloud serve|backup|restore|accounts|audit|webhooks` and `slipway fleet simulate` */
export function cloudCommands(program: Command): void {
  const cloud = program.command('cloud').description('the embedded OTA cloud');
  backupCommands(cloud);
  administrationCommands(cloud);
  cloud
    .command('serve')
    .description('serve until SIGTERM')
    .option('--data <dir>', 'folder of the cloud (default: .slipway/cloud of the workspace)')
    .option('--http <port>', 'HTTP port, 0 for any free', '0')
    .option('--mqtt <port|url>', 'MQTT port, 0 for any free, or another broker', '0')
    .option('--coaps <port>', 'UDP port for LwM2M under DTLS, 0 for any free, or off', '0')
    .option(
      '--coap <port>',
      'UDP port for LwM2M in the clear, where nobody proves anything (default: 0 on loopback, else off)',
    )
    .option(
      '--lwm2m-proof <proof>',
      'what proves the success of an LwM2M device: its version, or its result alone',
      'version',
    )
    .option(
      '--ddi-proof <proof>',
      'what proves the success of a DDI device: its version, or its word alone',
      'version',
    )
    .option(
      '--cloudota <on|off>',
      "serve modules that speak Quectel's CloudOTA (default: on loopback only: they prove nothing)",
    )
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('--keep-days <n>', 'days to keep the details of ended plans', '400')
    .option('--tls-cert <file>', 'serve HTTPS and MQTTS with this PEM certificate')
    .option('--tls-key <file>', 'and this PEM key')
    .action(async (options: ServeOptions, command: Command) => {
      const json = command.optsWithGlobals<GlobalOptions>().json ?? false;
      try {
        await serveCloud(options, command);
      } catch (error) {
        process.exitCode = printProblem(json, toProblem(error));
      }
    });

  program
    .command('fleet')
    .description('simulated devices')
    .command('simulate')
    .description('serve simulated devices, or run a whole scratch rollout with --rollout')
    .requiredOption('--cloud <url>', 'HTTP address of the cloud')
    .option('--mqtt <url>', 'MQTT address of the cloud (default: as the cloud says)')
    .option('--coap <url>', 'coap:// or coaps:// address of the cloud (default: as the cloud says)')
    .option('--dtls', 'LwM2M devices use DTLS, also where the cloud does without', false)
    .addOption(
      new Option('--protocol <protocol>', 'device protocol')
        .choices(['http', 'mqtt', 'lwm2m'])
        .default('http'),
    )
    .requiredOption('--devices <n>', 'number of devices', deviceCount)
    .option('--token <token>', 'operator token (default: $SLIPWAY_TOKEN)')
    .option('--rollout <size>', 'make a scratch product and publish an image of this size', size)
    .option('--product <pk>', 'product', 'SCRATCH')
    .option('--component <id>', 'component', 'APP')
    .option('--from-version <v>', 'version the devices run', '1.0.0')
    .option('--fail-share <share>', 'share of the devices whose upgrades fail, 0 to 1', share, 0)
    .option('--silent-share <share>', 'share of the devices that fall silent, 0 to 1', share, 0)
    .option('--low-battery <n>', 'how many begin with 12 % battery, and charge', deviceCount)
    .option('--weak-signal <n>', 'how many begin with an RSRP of -120 dBm, for 20 s', deviceCount)
    .addOption(
      new Option('--users <what>', 'what users do when a manual plan asks them')
        .choices(fleetUsersSchema.options)
        .default('ignore'),
    )
    .action((options: FleetOptions, command: Command) =>
      withSession(command, async ({ json, signal }) => {
        const target = await fleetTarget(options);
        if (options.rollout === undefined) {
          await serveFleet(target, signal, () =>
            process.stdout.write(`${JSON.stringify({ ready: true, devices: options.devices })}\n`),
          );
          return 0;
        }
        const folder = await mkdtemp(join(tmpdir(), 'slipway-scratch-'));
        try {
          const image = join(folder, 'image.bin');
          await writeFile(image, Buffer.alloc(options.rollout, 'slipway scratch image '));
          const result = await runScratchRollout(target, image, signal);
          printResult(
            json,
            result,
            () =>
              `${result.succeeded} of ${result.devices} upgraded, ${result.failed} failed, in ${(result.elapsedMs / 1000).toFixed(1)} s (p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms)`,
          );
          return result.succeeded === result.devices ? 0 : 1;
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      }),
    );
}

interface ServeOptions {
  readonly data?: string;
  readonly http: string;
  readonly mqtt: string;
  readonly coaps: string;
  readonly coap?: string;
  readonly lwm2mProof: string;
  readonly ddiProof: string;
  readonly cloudota?: string;
  readonly host: string;
  readonly keepDays: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

interface FleetOptions {
  readonly cloud: string;
  readonly mqtt?: string;
  readonly coap?: string;
  readonly dtls: boolean;
  readonly protocol: Transport;
  readonly devices: number;
  readonly token?: string;
  readonly rollout?: number;
  readonly product: string;
  readonly component: string;
  readonly fromVersion: string;
  readonly failShare: number;
  readonly silentShare: number;
  readonly lowBattery?: number;
  readonly weakSignal?: number;
  readonly users: FleetUsers;
}

/** Runs the cloud in a process of its own and passes on what it prints, until told to stop. */
async function serveCloud(options: ServeOptions, command: Command): Promise<void> {
  const workspace = workspaceFolder(command);
  const dataDir = options.data ?? (workspace && join(workspace, '.slipway', 'cloud'));
  if (!dataDir) {
    throw problem(
      'no-data-folder',
      'The folder of the cloud is not given',
      'There is neither --data nor a workspace.',
      'Give --data DIR, or --workspace DIR to serve the cloud of a workspace.',
      'usage',
    );
  }
  const { http, mqtt, coaps, coap, cloudota, lwm2mProof, ddiProof, host } = options;
  const { keepDays, tlsCert, tlsKey } = options;
  const args = ['--data', dataDir, '--http', http, '--mqtt', mqtt, '--host', host];
  args.push(
    '--coaps',
    coaps,
    '--keep-days',
    keepDays,
    '--lwm2m-proof',
    lwm2mProof,
    '--ddi-proof',
    ddiProof,
    ...(coap === undefined ? [] : ['--coap', coap]),
  );
  if (cloudota !== undefined) args.push('--cloudota', cloudota);
  if (tlsCert !== undefined) args.push('--tls-cert', tlsCert);
  if (tlsKey !== undefined) args.push('--tls-key', tlsKey);
  await new Promise<void>((done, fail) => {
    let isStopped = false;
    const cloud = new ChildEntry('cloud', [...args, '--with-parent'], {
      onMessage: (message) => process.stdout.write(`${JSON.stringify(message)}\n`),
      onLine: (line) => process.stderr.write(`${line}\n`),
      onEnd: () => (isStopped ? done() : fail(cloud.failure)),
    });
    const stop = (): void => {
      isStopped = true;
      void cloud.end();
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    process.on('SIGHUP', () => cloud.signal('SIGHUP'));
  });
}

async function fleetTarget(options: FleetOptions): Promise<FleetTarget> {
  const token = operatorToken(options.token);
  const { cloud: http, protocol, devices } = options;
  const mqtt = options.mqtt ?? (protocol === 'mqtt' ? await addressOf(['mqtt'], http, token) : '');
  const lwm2m = options.dtls ? (['coaps'] as const) : (['coap', 'coaps'] as const);
  const coap = options.coap ?? (protocol === 'lwm2m' ? await addressOf(lwm2m, http, token) : null);
  return {
    cloud: { http, mqtt, coap, token },
    devices: { http: 0, mqtt: 0, lwm2m: 0, [protocol]: devices },
    productId: options.product,
    componentId: options.component,
    fromVersion: options.fromVersion,
    faults: options,
    weak: { lowBattery: options.lowBattery, weakSignal: options.weakSignal },
    users: options.users,
  };
}

/** Where devices of a protocol reach the cloud, as the cloud says: the first way that it serves. */
async function addressOf(
  ways: readonly ('mqtt' | 'coap' | 'coaps')[],
  http: string,
  token: string,
): Promise<string> {
  try {
    const info = await new LocalCloud({ http, token }).info();
    const address = ways.map((way) => info[way]).find((found) => found !== null);
    if (address) return address;
    throw problem(
      'coap-off',
      'The cloud does not serve LwM2M in this way',
      `It was started with --${ways.join(' off and --')} off.`,
      `Start it with --${ways.at(-1)} 0, or with a port.`,
      'usage',
    );
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'no-such-route') throw error;
    throw problem(
      'address-missing',
      'The address for the devices is missing',
      'This cloud does not say where devices reach it.',
      `Give --${ways[0] === 'mqtt' ? 'mqtt' : 'coap'} with the address that cloud serve printed.`,
      'usage',
    );
  }
}
