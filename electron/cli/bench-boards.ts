import type { Command } from 'commander';
import type { KnownBoard } from '../../shared/domain/bench.ts';
import { problem } from '../../shared/domain/problem.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway bench boards list|set` */
export function boardCommands(bench: Command): void {
  const boards = bench.command('boards').description('boards that this workspace has flashed');

  boards
    .command('list')
    .description('list them, with their hardware revision and where each was seen last')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const known = await studio.ask('bench.boards.list', {});
        printResult(
          json,
          { boards: known },
          () => known.map(boardText).join('\n') || 'No board yet',
        );
        return 0;
      }),
    );

  boards
    .command('set <board>')
    .description('name a board (id or nickname), or say which hardware revision it is')
    .option('--nickname <name>', 'what people call it; empty to take the name away')
    .option('--revision <revision>', 'its hardware revision; empty when it is not known')
    .action((board: string, options: BoardOptions, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { nickname, revision } = options;
        if (nickname === undefined && revision === undefined)
          throw problem(
            'nothing-to-set',
            'Nothing to set',
            `Neither a name nor a revision was given for ${board}.`,
            'Give --nickname or --revision.',
            'usage',
          );
        const changed = await studio.ask('bench.boards.set', {
          board,
          ...(nickname === undefined ? {} : { nickname }),
          ...(revision === undefined ? {} : { hardwareRevision: revision }),
        });
        printResult(json, changed, () => boardText(changed));
        return 0;
      }),
    );
}

interface BoardOptions {
  readonly nickname?: string;
  readonly revision?: string;
}

function boardText(board: KnownBoard): string {
  const { id, nickname, chip, hardwareRevision, lastPort, lastSeenAt } = board;
  return [
    nickname || '(no name)',
    id,
    chip || 'unknown chip',
    hardwareRevision === null ? 'revision unknown' : `revision ${hardwareRevision}`,
    `${lastPort} at ${lastSeenAt}`,
  ].join('  ');
}
