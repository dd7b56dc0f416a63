import { type Command, Option } from 'commander';
import { type OperatorRole, operatorRoles } from '../../shared/domain/operator.ts';
import { CloudAdministration } from '../core/clouds/cloud-administration.ts';
import { LocalCloud } from '../core/clouds/local-cloud.ts';
import { operatorToken } from './operator-token.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

interface CloudOptions {
  readonly cloud: string;
  readonly token?: string;
}

/** `slipway cloud accounts|audit|webhooks`, each with the address and the token of a cloud. */
export function administrationCommands(cloud: Command): void {
  const accounts = cloud.command('accounts').description('who may operate the cloud');
  ofCloud(accounts.command('list'))
    .description('names and roles')
    .action(
      run(async (found) => {
        const items = await found.accounts();
        const lines = items.map(
          ({ name, role, createdAt }) => `${name}  ${role}  since ${createdAt}`,
        );
        return [{ accounts: items }, lines.join('\n') || 'There are no accounts beside the owner.'];
      }),
    );
  ofCloud(accounts.command('add <name>'))
    .description('make an account; its token is printed once')
    .addOption(
      new Option('--role <role>', 'viewer reads, operator carries plans out, admin does all')
        .choices(operatorRoles)
        .makeOptionMandatory(),
    )
    .action(
      run(async (found, options: { role: OperatorRole }, name = '') => {
        const { token } = await found.addAccount(name, options.role);
        return [{ name, role: options.role, token }, token];
      }),
    );
  ofCloud(accounts.command('remove <name>'))
    .description('end an account; its token is refused from then on')
    .action(
      run(async (found, _options, name = '') => {
        await found.removeAccount(name);
        return [{ removed: name }, `${name} was removed.`];
      }),
    );

  ofCloud(cloud.command('audit'))
    .description('what operators did, newest first')
    .option('--limit <n>', 'entries', '100')
    .option('--offset <n>', 'entries to leave out', '0')
    .action(
      run(async (found, options: { limit: string; offset: string }) => {
        const { limit, offset } = options;
        const page = await found.audit({ limit: Number(limit), offset: Number(offset) });
        const lines = page.items.map((entry) => {
          const outcome =
            entry.problem === null ? entry.status : `${entry.status} ${entry.problem}`;
          return `${entry.at}  ${entry.account}  ${entry.method} ${entry.path}  ${outcome}`;
        });
        return [page, lines.join('\n') || 'Nothing was done yet.'];
      }),
    );

  const webhooks = cloud
    .command('webhooks')
    .description('addresses that are told what becomes of plans');
  ofCloud(webhooks.command('list'))
    .description('addresses, and how their deliveries go')
    .action(
      run(async (found) => {
        const items = await found.webhooks();
        const lines = items.map(
          ({ id, url, waiting, lastError }) =>
            `${id}  ${url}  ${waiting} waiting  ${lastError ?? ''}`,
        );
        return [{ webhooks: items }, lines.join('\n') || 'There are no webhooks.'];
      }),
    );
  ofCloud(webhooks.command('add <url>'))
    .description('tell this address; the secret that signs its events is printed once')
    .option('--device-failures', 'tell each failed device too', false)
    .action(
      run(async (found, options: { deviceFailures: boolean }, url = '') => {
        const made = await found.addWebhook(url, options.deviceFailures);
        return [made, `${made.id}\n${made.secret}`];
      }),
    );
  ofCloud(webhooks.command('remove <id>'))
    .description('tell it no more')
    .action(
      run(async (found, _options, id = '') => {
        await found.removeWebhook(id);
        return [{ removed: id }, `${id} was removed.`];
      }),
    );
}

function ofCloud(command: Command): Command {
  return command
    .requiredOption('--cloud <url>', 'HTTP address of the cloud')
    .option('--token <token>', 'token of an admin (default: $SLIPWAY_TOKEN)');
}

type Answer = readonly [value: unknown, text: string];

/** An action of commander: with or without an argument in front of the options. */
function run<O>(
  work: (found: CloudAdministration, options: O, argument?: string) => Promise<Answer>,
): (...given: unknown[]) => Promise<void> {
  return (...given) => {
    const command = given.pop() as Command;
    const options = given.pop() as O & CloudOptions;
    const [argument] = given as string[];
    return withSession(command, async ({ json }) => {
      const cloud = new LocalCloud({ http: options.cloud, token: operatorToken(options.token) });
      const [value, text] = await work(new CloudAdministration(cloud), options, argument);
      printResult(json, value, () => text);
      return 0;
    });
  };
}
