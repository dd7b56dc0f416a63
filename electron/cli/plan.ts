import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { PlanCheck, PlanStatus } from '../../shared/domain/plan.ts';
import { type PlanFile, planFileSchema, resolvePlanFile } from '../../shared/domain/plan-draft.ts';
import type { Studio } from '../core/studio.ts';
import { printNote, printResult } from './output.ts';
import { heldText, planDeviceCommands } from './plan-devices.ts';
import { withSession } from './session.ts';
import { readYaml } from './yaml-file.ts';

const statusPollMs = 500;

/** `slipway plan create|list|check|publish|suspend|resume|terminate|status|delete`, and what is done about devices */
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
        printResult(json, check, () => checkText(check));
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
  ['resume', 'go on after a suspension'],
  ['terminate', 'end the plan for good; waiting devices become failed'],
  ['status', 'counts, success rate, failure reasons, and which devices are held and why'],
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

/** Follows a published plan until it has ended or was terminated, or stays open only so that failed devices may be retried. */
export async function waitForEnd(
  studio: Studio,
  planId: string,
  signal: AbortSignal,
): Promise<PlanStatus> {
  for (;;) {
    const status = await studio.ask('plans.status', { planId });
    const { notUpgraded, upgrading } = status.counts;
    const isOver = status.state === 'ended' || status.state === 'terminated';
    if (isOver || notUpgraded + upgrading === 0) return status;
    await sleep(statusPollMs, undefined, { signal });
  }
}

const readPlanFile = (file: string): Promise<PlanFile> =>
  readYaml(file, planFileSchema, {
    code: 'plan-invalid',
    title: 'The plan file is not valid',
    hint: 'Correct the named line or field; product and version are the least a plan needs.',
  });

function checkText({ gates, scope }: PlanCheck): string {
  return [
    ...gates.map((gate) => `${gate.passed ? 'ok    ' : 'CLOSED'} ${gate.title}: ${gate.why}`),
    `Scope: ${scope.full} full, ${scope.delta} delta`,
    ...skippedText(scope.skipped),
  ].join('\n');
}

function skippedText(skipped: PlanStatus['skipped']): string[] {
  return skipped.map(
    ({ reason, count, devices }) =>
      `  skipped: ${reason} × ${count} (${devices.slice(0, 10).join(', ')}${count > 10 ? ', …' : ''})`,
  );
}

function statusText(status: PlanStatus): string {
  const { counts } = status;
  const rate =
    status.successRate === null ? '' : `, success rate ${(100 * status.successRate).toFixed(1)} %`;
  const lines = [
    `Plan ${status.planId} is ${status.state}${rate}`,
    `  upgraded ${counts.upgraded}, upgrading ${counts.upgrading}, not upgraded ${counts.notUpgraded}, failed ${counts.failed}, no update required ${counts.noUpdateRequired}`,
  ];
  for (const reason of status.failureReasons)
    lines.push(`  failed: ${reason.code} × ${reason.count}`);
  lines.push(...heldText(status.held), ...skippedText(status.skipped));
  return lines.join('\n');
}
