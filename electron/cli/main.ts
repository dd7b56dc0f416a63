#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { benchCommands } from './bench.ts';
import { bundleCommands } from './bundle.ts';
import { cloudCommands } from './cloud.ts';
import { deltaCommands } from './delta.ts';
import { demoCommand } from './demo.ts';
import { evidenceCommands } from './evidence.ts';
import { planCommands } from './plan.ts';
import { releaseCommands } from './releases.ts';

const usageExitCode = 2;

const program = new Command('slipway')
  .description('The firmware release studio: bundle, delta, bench, plan, rollout, evidence.')
  .option('--workspace <dir>', 'folder with slipway.yaml (default: the current folder)')
  .option('--json', 'one JSON document on stdout, progress as NDJSON on stderr');

// Commands have a --version of their own, which one of the whole program would take from them.
if (['-V', '--version'].includes(process.argv[2] ?? '')) program.version(__SLIPWAY_VERSION__);

for (const add of [
  bundleCommands,
  deltaCommands,
  benchCommands,
  cloudCommands,
  planCommands,
  releaseCommands,
  evidenceCommands,
  demoCommand,
]) {
  add(program);
}

/** Commander ends the process by itself unless every command is told not to. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}
throwInsteadOfExit(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
}
