import type { Command } from 'commander';
import { byteText } from '../../shared/domain/progress-text.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway cloud backup|restore` */
export function backupCommands(cloud: Command): void {
  cloud
    .command('backup')
    .description('copy the data of a cloud, which may go on serving, into a new folder')
    .requiredOption('--data <dir>', 'folder of the cloud')
    .requiredOption('-o, --out <dir>', 'folder to make; it holds the operator token')
    .action((options: { data: string; out: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { data: dataDir, out: folder } = options;
        const made = await studio.ask('cloud.backup', { dataDir, folder });
        printResult(
          json,
          made,
          () => `${made.folder}: ${made.files} files, ${byteText(made.sizeBytes)}`,
        );
        return 0;
      }),
    );

  cloud
    .command('restore <backup>')
    .description('make the folder of a cloud from a backup, each file checked by its SHA-256')
    .requiredOption('--data <dir>', 'folder to make')
    .action((backup: string, options: { data: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const made = await studio.ask('cloud.restore', { backup, dataDir: options.data });
        printResult(
          json,
          made,
          () => `${made.folder}: ${made.files} files, ${byteText(made.sizeBytes)}`,
        );
        return 0;
      }),
    );
}
