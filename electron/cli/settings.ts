import type { Command } from 'commander';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway settings show|person` */
export function settingsCommands(program: Command): void {
  const settings = program.command('settings').description('settings of the workspace');

  settings
    .command('show')
    .description('print every setting')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const values = await studio.ask('settings.get', {});
        printResult(json, values, () =>
          Object.entries(values)
            .map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(' ') : value}`)
            .join('\n'),
        );
        return 0;
      }),
    );

  settings
    .command('person <name>')
    .description('set the name that packages made here are recorded with')
    .action((person: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const values = await studio.ask('settings.set', { person });
        printResult(
          json,
          values,
          () => `Packages made here are recorded as made by ${values.person}.`,
        );
        return 0;
      }),
    );
}
