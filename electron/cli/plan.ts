import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { PlanStatus } from '../../shared/domain/plan.ts';
import { problem } from '../../shared/domain/problem.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway plan create|check|publish|suspend|resume|terminate|status` */
export function planCommands(program: Command): void {
  const plan = program.command('plan').description('upgrade plans');

  plan
    .command('create <file>')
    .description('save a plan described in YAML')
    .action((file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const created = await studio.ask(
          'plans.create',
          parsePlan(file, await readFile(file, 'utf8')),
        );
        printResult(
          json,
          { planId: created.id, state: created.state },
          () => `Plan ${created.id} is ${created.state}`,
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
        printResult(json, check, () =>
          check.gates
            .map((gate) => `${gate.passed ? 'ok    ' : 'CLOSED'} ${gate.title}: ${gate.why}`)
            .join('\n'),
        );
        return check.gates.every((gate) => gate.passed) ? 0 : 1;
      }),
    );

  for (const action of ['publish', 'suspend', 'resume', 'terminate', 'status'] as const) {
    plan
      .command(`${action} <planId>`)
      .description(descriptions[action])
      .action((planId: string, _options: unknown, command: Command) =>
        withSession(command, async ({ studio, json }) => {
          const status = await studio.ask(`plans.${action}`, { planId });
          printResult(json, status, () => statusText(status));
          return 0;
        }),
      );
  }
}

const descriptions = {
  publish: 'publish to the cloud; refused while a gate says no',
  suspend: 'no further device receives the plan; those in progress continue',
  resume: 'go on after a suspension',
  terminate: 'end the plan for good; waiting devices become failed',
  status: 'counts, success rate and failure reasons',
};

/** The YAML is validated by the contract; here only its syntax. */
function parsePlan(file: string, text: string): never {
  try {
    return parse(text) as never;
  } catch (error) {
    throw problem(
      'plan-syntax',
      'The plan is not valid YAML',
      `${file}: ${error instanceof Error ? error.message : String(error)}`,
      'Correct the named line.',
      'usage',
    );
  }
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
  for (const skip of status.skipped)
    lines.push(
      `  skipped: ${skip.reason} × ${skip.count} (${skip.devices.slice(0, 10).join(', ')})`,
    );
  return lines.join('\n');
}
