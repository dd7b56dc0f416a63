import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { DecisionOrder } from '../../shared/domain/cloud.ts';
import type { PlanStatus } from '../../shared/domain/plan.ts';
import { type PlanFile, planFileSchema, resolvePlanFile } from '../../shared/domain/plan-draft.ts';
import { problem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { type ListOptions, withListFiles } from './plan-lists.ts';
import { printNote, printResult } from './output.ts';
import { planDeviceCommands } from './plan-devices.ts';
import { planVerifyCommand } from './plan-verify.ts';
import { deviceCount } from './device-count.ts';
import { checkText, dryRunText, isStopped, logLineText, statusText } from './plan-text.ts';
import { withSession } from './session.ts';
import { readYaml } from './yaml-file.ts';

const statusPollMs = 500;

/** `slipway plan create|list|check|verify|publish|suspend|resume|next-stage|terminate|status|log|delete`, and what is done about devices */
export function planCommands(program: Command): void {
  const plan = program.command('plan').description('upgrade plans');

  plan
    .command('create <file>')
    .description(
      'save a plan described in YAML (product, version, batches, lists, schedule, strategy, texts)',
    )
    .option('--whitelist-file <file>', 'only these devices: one per line, or a table (CSV)')
    .option('--blacklist-file <file>', 'not these devices; wins over the whitelist')
    .option('--leave-out', 'leave out lines of the lists that are no device of the product')
    .action((file: string, options: ListOptions, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const written = await readPlanFile(file);
        const planFile = await withListFiles(written, file, options, { studio, json });
        const [releases, packages] = await Promise.all([
          studio.ask('releases.list', {}),
          studio.ask('packages.list', {}),
        ]);
        const draft = resolvePlanFile(planFile, releases, packages);
        const { id, state } = await studio.ask('plans.create', draft);
        printResult(json, { planId: id, state }, () => `Plan ${id} is ${state}`);
        return 0;
      }),
    );

  plan
    .command('list')
    .description('list the plans of the workspace')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const plans = await studio.ask('plans.list', {});
        printResult(json, plans, () =>
          plans.length === 0
            ? 'No plan yet'
            : plans.map(({ id, state, name }) => `${id}  ${state.padEnd(10)}  ${name}`).join('\n'),
        );
        return 0;
      }),
    );

  plan
    .command('check <planId>')
    .description('show the gates, who gets what or is skipped and why, and what it takes')
    .option('--csv <file>', 'write what each device gets, or why it is skipped, as a table')
    .option(
      '--dry-run <devices>',
      'carry it out with so many simulated devices in a scratch cloud',
      deviceCount,
    )
    .action((planId: string, options: { csv?: string; dryRun?: number }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const check = await studio.ask('plans.check', { planId });
        const plans = await studio.ask('plans.list', {});
        const plan = plans.find(({ id }) => id === planId);
        if (options.csv !== undefined && plan)
          await studio.ask('plans.exportScope', { plan, out: resolve(options.csv) });
        const dryRun =
          options.dryRun !== undefined && plan
            ? await studio.ask('plans.dryRun', { plan, devices: options.dryRun })
            : null;
        printResult(json, { ...check, ...(dryRun ? { dryRun } : {}) }, () =>
          [checkText(check, plan?.stages), ...(dryRun ? [dryRunText(dryRun)] : [])].join('\n'),
        );
        const isSound = dryRun === null || (dryRun.failed === 0 && dryRun.state === 'ended');
        return isSound && check.gates.every((gate) => gate.passed) ? 0 : 1;
      }),
    );

  plan
    .command('publish <planId>')
    .description('publish to the cloud; refused while a gate says no')
    .option('--wait', 'wait until the rollout has ended; exit code 1 when a device failed')
    .action((planId: string, options: { wait?: boolean }, command: Command) =>
      withSession(command, async ({ studio, json, signal }) => {
        let status = await studio.ask('plans.publish', { planId });
        if (options.wait) status = await waitForEnd(studio, planId, signal);
        printResult(json, status, () => statusText(status));
        await warnOfStandstill(studio, json, status);
        return options.wait && (status.counts.failed > 0 || status.state !== 'ended') ? 1 : 0;
      }),
    );

  plan
    .command('resume <planId>')
    .description('go on after a suspension')
    .option('--accept <reason>', 'accept the failures that made a stop rule suspend the plan')
    .option('--name <name>', 'who accepts them; with accounts the one of the token does')
    .action((planId: string, options: { accept?: string; name?: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { accept: reason, name } = options;
        if (reason === undefined && name !== undefined) throw halfAcceptance();
        const accept = reason === undefined ? {} : { accept: await decision(studio, reason, name) };
        const status = await studio.ask('plans.resume', { planId, ...accept });
        printResult(json, status, () => statusText(status));
        await warnOfStandstill(studio, json, status);
        return 0;
      }),
    );

  plan
    .command('next-stage <planId>')
    .description('open the next stage before its time, or where the plan holds for it')
    .option('--name <name>', 'who opens it; with accounts the one of the token does')
    .requiredOption('--reason <reason>', 'why')
    .action((planId: string, by: { name?: string; reason: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { stages = [] } = await studio.ask('plans.status', { planId });
        const open = stages.filter(({ state }) => state !== 'closed').length;
        const order = { planId, stage: open + 1, ...(await decision(studio, by.reason, by.name)) };
        const status = await studio.ask('plans.openStage', order);
        printResult(json, status, () => statusText(status));
        await warnOfStandstill(studio, json, status);
        return 0;
      }),
    );

  plan
    .command('log <planId> <deviceId>')
    .description('what happened to one device, step by step')
    .action((planId: string, deviceId: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const lines = await studio.ask('plans.deviceLog', { planId, deviceId });
        printResult(json, lines, () =>
          lines.length === 0
            ? `Nothing has happened to ${deviceId} in this plan yet`
            : lines.map(logLineText).join('\n'),
        );
        return 0;
      }),
    );

  for (const [action, description] of controls) {
    plan
      .command(`${action} <planId>`)
      .description(description)
      .action((planId: string, _options: unknown, command: Command) =>
        withSession(command, async ({ studio, json }) => {
          const status = await studio.ask(`plans.${action}`, { planId });
          printResult(json, status, () => statusText(status));
          await warnOfStandstill(studio, json, status);
          return 0;
        }),
      );
  }

  planDeviceCommands(plan);
  planVerifyCommand(plan);

  plan
    .command('delete <planId>')
    .description('delete a plan that was never published')
    .action((planId: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        await studio.ask('plans.delete', { planId });
        printResult(json, { planId }, () => `Plan ${planId} is deleted`);
        return 0;
      }),
    );
}

const controls = [
  ['suspend', 'no further device receives the plan; those in progress continue'],
  ['terminate', 'end the plan for good; waiting devices become failed'],
  [
    'status',
    'counts, success rate, stages, stops, failure reasons, and which devices are held and why',
  ],
] as const;

/** A plan that is under way stands still when the cloud ends with this command. */
async function warnOfStandstill(
  studio: Studio,
  json: boolean,
  { planId, state }: PlanStatus,
): Promise<void> {
  if (state !== 'activated' && state !== 'upgrading') return;
  if (!(await studio.ask('cloud.status', {})).startedHere) return;
  printNote(
    json,
    `The cloud ran for this command only, so plan ${planId} stands still until a cloud runs: keep one running with "slipway cloud serve", or publish with --wait.`,
  );
}

/** Follows a published plan until it has ended, was terminated or stopped by a rule, or stays open only so that failed devices may be retried. */
export async function waitForEnd(
  studio: Studio,
  planId: string,
  signal: AbortSignal,
): Promise<PlanStatus> {
  for (;;) {
    const status = await studio.ask('plans.status', { planId });
    const { notUpgraded, upgrading } = status.counts;
    const isOver = status.state === 'ended' || status.state === 'terminated';
    if (isOver || isStopped(status) || notUpgraded + upgrading === 0) return status;
    await sleep(statusPollMs, undefined, { signal });
  }
}

const readPlanFile = (file: string): Promise<PlanFile> =>
  readYaml(file, planFileSchema, {
    code: 'plan-invalid',
    title: 'The plan file is not valid',
    hint: 'Correct the named line or field; product and version are the least a plan needs.',
  });

/** Under whose name a decision goes on record: that of the account, or the one that was typed where there are none. */
async function decision(
  studio: Studio,
  reason: string,
  typed: string | undefined,
): Promise<DecisionOrder> {
  await studio.ask('cloud.start', {});
  const operator = await studio.ask('cloud.operator', {});
  if (operator?.typesName !== false) {
    if (typed === undefined) throw nameMissing();
    return { reason, name: typed };
  }
  if (typed !== undefined && typed !== operator.name) throw otherName(operator.name, typed);
  return { reason };
}

const nameMissing = () =>
  problem(
    'name-missing',
    'It is not known who decides',
    'This cloud has no accounts, so that the name has to be given.',
    'Give --name NAME, or make accounts: slipway cloud accounts add.',
    'usage',
  );

const otherName = (name: string, typed: string) =>
  problem(
    'other-name',
    'A decision is recorded under the account that takes it',
    `The token is that of ${name}, not of ${typed}.`,
    'Leave --name out, or set SLIPWAY_TOKEN to the token of that account.',
    'usage',
  );

const halfAcceptance = () =>
  problem(
    'acceptance-incomplete',
    'The acceptance is not complete',
    'A name alone accepts nothing: it needs why the failures are accepted.',
    'Give --accept REASON.',
    'usage',
  );
