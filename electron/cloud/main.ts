import { setFlagsFromString } from 'node:v8';
import { toProblem } from '../../shared/domain/problem.ts';
import { openFilesWarning } from './open-files.ts';
import { createCloud } from './ota-cloud.ts';
import { readStartOptions } from './start-options.ts';

/** Exit code for trouble with files, ports or brokers; the reason is one JSON line on stderr. */
const troubleCode = 3;

// Exchanges with devices outlive the young generation, so the heap fills with what is long over. V8 would
// let it triple before it looks; a cloud shares its machine, and takes the memory of its devices only.
setFlagsFromString('--heap-growing-percent=40');

let askToStop: () => void = () => undefined;
const stopAsked = new Promise<void>((done) => {
  askToStop = done;
});
process.on('SIGTERM', askToStop).on('SIGINT', askToStop);
// Whoever read the output may be gone; devices are served all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  const options = readStartOptions(process.argv.slice(2), process.env);
  if (options.withParent)
    process.stdin.on('end', askToStop).on('close', askToStop).on('error', askToStop).resume();
  const cloud = await createCloud(options);
  const { http, mqtt, coap, coaps, token } = cloud;
  // A renewed certificate; one that cannot be read leaves the old one in use.
  process.on('SIGHUP', () => {
    cloud.renewTls().catch((error: unknown) => {
      process.stderr.write(`${toProblem(error).title}: ${toProblem(error).detail}\n`);
    });
  });
  const warning = await openFilesWarning();
  if (warning) process.stderr.write(`${warning}\n`);
  const ready = { ready: true, http, mqtt, coap, coaps, operator: { token } };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  await stopAsked;
  await cloud.close();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${JSON.stringify({ error: toProblem(error) })}\n`, () =>
    process.exit(troubleCode),
  );
}
