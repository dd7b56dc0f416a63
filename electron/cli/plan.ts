import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { PlanStatus } from '../../shared/domain/plan.ts';
import { type PlanFile, planFileSchema, resolvePlanFile } from '../../shared/domain/plan-draft.ts';
import { problem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { printNote, printResult } from './output.ts';
import { planDeviceCommands } from './plan-devices.ts';
import { checkText, isStopped, logLineText, statusText } from './plan-text.ts';
import { withSession } from './session.ts';
import { readYaml } from './yaml-file.ts';

const statusPollMs = 500;

/** `slipway plan create|list|check|publish|suspend|resume|next-stage|terminate|status|log|delete`, and what is done about devices */
export function planCommands(program: Command): void {
  const plan = program.command('plan').description('upgrade plans');

  plan
    .command('create <file>')
    .description(
      'save a plan described in YAML (product, version, batches, lists, schedule, strategy, texts)',
    )
    .action((file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const planFile = await readPlanFile(file);
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
    .description('show the gates and the scope')
    .action((planId: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const check = await studio.ask('plans.check', { planId });
        const plans = await studio.ask('plans.list', {});
        const stages = plans.find(({ id }) => id === planId)?.stages;
        printResult(json, check, () => checkText(check, stages));
        return check.gates.every((gate) => gate.passed) ? 0 : 1;
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
    .option('--name <name>', 'who accepts them')
    .action((planId: string, options: { accept?: string; name?: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { accept: reason, name } = options;
        if ((reason === undefined) !== (name === undefined)) throw halfAcceptance();
        const accept =
          reason !== undefined && name !== undefined ? { accept: { reason, name } } : {};
        const status = await studio.ask('plans.resume', { planId, ...accept });
        printResult(json, status, () => statusText(status));
        await warnOfStandstill(studio, json, status);
        return 0;
      }),
    );

  plan
    .command('next-stage <planId>')
    .description('open the next stage before its time, or where the plan holds for it')
    .requiredOption('--name <name>', 'who opens it')
    .requiredOption('--reason <reason>', 'why')
    .action((planId: string, by: { name: string; reason: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { stages = [] } = await studio.ask('plans.status', { planId });
        const open = stages.filter(({ state }) => state !== 'closed').length;
        const { name, reason } = by;
        const order = { planId, stage: open + 1, name, reason };
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

const halfAcceptance = () =>
  problem(
    'acceptance-incomplete',
    'The acceptance is not complete',
    'It needs both why the failures are accepted and who does.',
    'Give --accept REASON together with --name NAME.',
    'usage',
  );
