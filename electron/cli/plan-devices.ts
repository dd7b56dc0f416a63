import type { Command } from 'commander';
import type { ActOutcome, DeviceAct, PlanStatus } from '../../shared/domain/plan.ts';
import { instantOf, isLocalTime } from '../../shared/domain/local-time.ts';
import { problem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { printNote, printResult } from './output.ts';
import { withSession } from './session.ts';

const shownRefusals = 20;

const acts = [
  ['confirm', 'confirm a manual plan for devices, as their users would'],
  ['cancel', 'refuse a manual plan for devices; they count as failed'],
  ['retry', 'try failed devices again: of a silent plan that is upgrading, or of a manual plan'],
] as const;

/** `slipway plan confirm|appoint|cancel|retry PLAN DEVICE…` and `plan auto-confirm on|off DEVICE…` */
export function planDeviceCommands(plan: Command): void {
  for (const [kind, description] of acts) {
    plan
      .command(`${kind} <planId> <device...>`)
      .description(description)
      .action((planId: string, devices: string[], _options: unknown, command: Command) =>
        withSession(command, async ({ studio, json }) =>
          printOutcome(json, await act(studio, planId, devices, { kind }), kind),
        ),
      );
  }

  plan
    .command('appoint <planId> <device...>')
    .description('appoint a window of an hour or more, inside the planned time')
    .requiredOption('--from <time>', 'its beginning: 2026-05-01T22:00 in the time zone of the plan')
    .requiredOption('--to <time>', 'its end')
    .action(
      (
        planId: string,
        devices: string[],
        options: { from: string; to: string },
        command: Command,
      ) =>
        withSession(command, async ({ studio, json }) => {
          const zone = await timeZoneOf(studio, planId);
          const start = instant(options.from, zone, 'start');
          const end = instant(options.to, zone, 'end');
          const outcome = await act(studio, planId, devices, { kind: 'appoint', start, end });
          return printOutcome(json, outcome, 'appoint');
        }),
    );

  plan
    .command('auto-confirm <on-or-off> <device...>')
    .description('whether manual plans are confirmed for these devices without asking')
    .action((onOrOff: string, deviceIds: string[], _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        if (onOrOff !== 'on' && onOrOff !== 'off')
          throw problem(
            'usage',
            'Automatic confirmation is on or off',
            `"${onOrOff}" is neither.`,
            'slipway plan auto-confirm on DEVICE…',
            'usage',
          );
        const active = onOrOff === 'on';
        await studio.ask('devices.autoConfirm', { deviceIds, active });
        printResult(
          json,
          { active, devices: deviceIds.length },
          () =>
            `Manual plans are ${active ? 'confirmed for these devices without asking' : 'confirmed by their users'}`,
        );
        return 0;
      }),
    );
}

/** What holds devices of a plan, with the first of each. */
export function heldText(held: PlanStatus['held'] = []): string[] {
  return held.flatMap(({ reason, count, devices }) => [
    `  held: ${reason} × ${count}`,
    ...devices.map(({ deviceId, detail }) => `    ${deviceId}: ${detail}`),
    ...(count > devices.length ? [`    and ${count - devices.length} more`] : []),
  ]);
}

function act(
  studio: Studio,
  planId: string,
  deviceIds: readonly string[],
  what: DeviceAct,
): Promise<ActOutcome> {
  return studio.ask('plans.act', { planId, deviceIds: [...deviceIds], act: what });
}

function printOutcome(json: boolean, outcome: ActOutcome, kind: DeviceAct['kind']): 0 | 1 {
  printResult(
    json,
    outcome,
    () => `${kind}: ${outcome.done} done, ${outcome.failed.length} refused`,
  );
  for (const { deviceId, problem: why } of outcome.failed.slice(0, shownRefusals))
    printNote(json, `${deviceId}: ${why.title}. ${why.detail}`);
  return outcome.failed.length === 0 ? 0 : 1;
}

/** Appointed times are read in the time zone of the plan, or in UTC. */
async function timeZoneOf(studio: Studio, planId: string): Promise<string> {
  const plans = await studio.ask('plans.list', {});
  return plans.find(({ id }) => id === planId)?.timeZone ?? 'UTC';
}

function instant(text: string, timeZone: string, edge: 'start' | 'end'): string {
  if (isLocalTime(text)) return new Date(instantOf(text, timeZone, edge)).toISOString();
  throw problem(
    'usage',
    'The time cannot be read',
    `"${text}" is no day and minute of the calendar.`,
    'Write it as 2026-05-01T22:00.',
    'usage',
  );
}
