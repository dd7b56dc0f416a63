import { createInterface } from 'node:readline';
import { problem, toProblem } from '../../../shared/domain/problem.ts';
import { type FleetMessage, fleetConfigSchema } from './fleet-config.ts';
import { Fleet } from './fleet.ts';

const statusPeriodMs = 250;
const failedExitCode = 3;
/** Each trouble is told once: a cloud that is away is the same one for 10,000 devices. */
const toldTroublesMax = 100;

const say = (message: FleetMessage): void =>
  void process.stdout.write(`${JSON.stringify(message)}\n`);

const told = new Set<string>();
function onTrouble(deviceId: string, message: string): void {
  if (told.has(message) || told.size >= toldTroublesMax) return;
  told.add(message);
  process.stderr.write(`${deviceId}: ${message.replaceAll('\n', ' ')}\n`);
}

async function serve(line: string): Promise<void> {
  const config = fleetConfigSchema.safeParse(JSON.parse(line));
  if (!config.success) {
    throw problem(
      'fleet-config',
      'The fleet cannot be simulated',
      config.error.message,
      'Describe the devices as fleet-config.ts says.',
      'usage',
    );
  }
  const fleet = await Fleet.create(config.data, onTrouble);
  let last = '';
  setInterval(() => {
    const status = fleet.status();
    const text = JSON.stringify(status);
    if (text !== last) say({ status });
    last = text;
  }, statusPeriodMs);
  await fleet.start();
  say({ ready: true });
}

// The one who started this process holds the other end of stdin; when that closes, it is gone.
const input = createInterface({ input: process.stdin });
input.on('close', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
input.once('line', (line) => {
  serve(line).catch((error: unknown) => {
    process.stderr.write(`${JSON.stringify({ error: toProblem(error) })}\n`, () =>
      process.exit(failedExitCode),
    );
  });
});
