import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { problem } from '../../shared/domain/problem.ts';
import { entryPath } from '../worker/run-task.ts';
import { printResult } from './output.ts';
import { runScratchRollout, serveFleet } from './scratch-rollout.ts';
import { untilStopped, withSession } from './session.ts';

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 10_000)
    throw new InvalidArgumentError('a whole number from 1 to 10000');
  return value;
};

const sizeUnits: Record<string, number> = { '': 1, k: 1024, m: 1024 * 1024 };

const size = (text: string): number => {
  const match = /^(\d+)([km]?)i?b?$/i.exec(text);
  if (!match) throw new InvalidArgumentError('a size such as 262144, 256K or 1M');
  return Number(match[1]) * (sizeUnits[(match[2] ?? '').toLowerCase()] ?? 1);
};

/** `slipway cloud serve` and `slipway fleet simulate` */
export function cloudCommands(program: Command): void {
  program
    .command('cloud')
    .description('the embedded OTA cloud')
    .command('serve')
    .description('serve until SIGTERM; binds to loopback')
    .requiredOption('--data <dir>', 'folder for the database and the artifacts')
    .option('--http <port>', 'HTTP port, 0 for any free', '0')
    .option('--mqtt <port>', 'MQTT port, 0 for any free', '0')
    .action(async (options: { data: string; http: string; mqtt: string }) => {
      const child = spawn(
        process.execPath,
        [
          entryPath('cloud'),
          '--data',
          options.data,
          '--http',
          options.http,
          '--mqtt',
          options.mqtt,
        ],
        { stdio: 'inherit' },
      );
      const forward = (): void => void child.kill('SIGTERM');
      process.once('SIGINT', forward);
      process.once('SIGTERM', forward);
      process.exitCode = await new Promise<number>((done) =>
        child.once('exit', (code) => done(code ?? 0)),
      );
    });

  program
    .command('fleet')
    .description('simulated devices')
    .command('simulate')
    .description('serve simulated devices, or run a whole scratch rollout with --rollout')
    .requiredOption('--cloud <url>', 'HTTP address of the cloud')
    .requiredOption(
      '--mqtt <url>',
      'MQTT address of the cloud (used by --protocol mqtt)',
      'mqtt://127.0.0.1:1883',
    )
    .addOption(
      new Option('--protocol <protocol>', 'device protocol')
        .choices(['http', 'mqtt'])
        .default('http'),
    )
    .requiredOption('--devices <n>', 'number of devices', count)
    .option('--token <token>', 'operator token (default: $SLIPWAY_TOKEN)')
    .option('--rollout <size>', 'make a scratch product and publish an image of this size', size)
    .option('--product <pk>', 'product', 'SCRATCH')
    .option('--component <id>', 'component', 'APP')
    .option('--from-version <v>', 'version the devices run', '1.0.0')
    .action((options: FleetOptions, command: Command) =>
      withSession(command, async ({ json, signal }) => {
        const token = options.token ?? process.env.SLIPWAY_TOKEN;
        if (!token)
          throw problem(
            'no-token',
            'The operator token is missing',
            'Neither --token nor SLIPWAY_TOKEN is set.',
            'Use the token that cloud serve printed.',
            'usage',
          );
        const target = {
          http: options.cloud,
          mqtt: options.mqtt,
          token,
          protocol: options.protocol,
          devices: options.devices,
          productId: options.product,
          componentId: options.component,
          fromVersion: options.fromVersion,
        };
        if (options.rollout === undefined) {
          const fleet = await serveFleet(target);
          process.stdout.write(`${JSON.stringify({ ready: true, devices: options.devices })}\n`);
          await untilStopped(signal);
          await fleet.stop();
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
          return result.failed === 0 ? 0 : 1;
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      }),
    );
}

interface FleetOptions {
  readonly cloud: string;
  readonly mqtt: string;
  readonly protocol: 'http' | 'mqtt';
  readonly devices: number;
  readonly token?: string;
  readonly rollout?: number;
  readonly product: string;
  readonly component: string;
  readonly fromVersion: string;
}
