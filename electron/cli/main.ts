#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

const usageExitCode = 2;
const outputExitCode = 3;

const program = new Command('slipway')
  .description('The firmware release studio: bundle, delta, bench, plan, rollout, evidence.')
  .option('--workspace <dir>', 'folder with slipway.yaml (default: the current folder)')
  .option('--json', 'one JSON document on stdout, progress as NDJSON on stderr');

// Commands have a --version of their own, which one of the whole program would take from them.
if (['-V', '--version'].includes(process.argv[2] ?? '')) program.version(__SLIPWAY_VERSION__);

const loadCloud = async () => (await import('./cloud.ts')).cloudCommands;
/** Each noun is loaded only when it is meant: most of a short command's time is loading. */
const nouns: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  bundle: async () => (await import('./bundle.ts')).bundleCommands,
  delta: async () => (await import('./delta.ts')).deltaCommands,
  bench: async () => (await import('./bench.ts')).benchCommands,
  cloud: loadCloud,
  fleet: loadCloud,
  plan: async () => (await import('./plan.ts')).planCommands,
  release: async () => (await import('./releases.ts')).releaseCommands,
  evidence: async () => (await import('./evidence.ts')).evidenceCommands,
  settings: async () => (await import('./settings.ts')).settingsCommands,
  demo: async () => (await import('./demo.ts')).demoCommand,
};

/** Commander ends the process by itself unless every command is told not to. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}

/** A reader that has gone wants no more, and the command goes on; a result that is lost otherwise is trouble. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`The result could not be written: ${error.message}\n`);
  process.once('exit', () => {
    process.exitCode = outputExitCode;
  });
});
process.stderr.on('error', () => undefined);

try {
  throwInsteadOfExit(program);
  const [noun = ''] = program.parseOptions(process.argv.slice(2)).operands;
  const meant = Object.hasOwn(nouns, noun) ? [nouns[noun]] : Object.values(nouns);
  for (const load of new Set(meant)) (await load?.())?.(program);
  throwInsteadOfExit(program);
  // Said outright: in the packaged Electron, run as Node, commander would count the arguments otherwise.
  await program.parseAsync(process.argv, { from: 'node' });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
}
