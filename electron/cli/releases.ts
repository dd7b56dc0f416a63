import type { Command } from 'commander';
import { problem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway release list` */
export function releaseCommands(program: Command): void {
  program
    .command('release')
    .description('the releases of the workspace')
    .command('list')
    .description('list every release with its stage')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const releases = await studio.ask('releases.list', {});
        printResult(json, releases, () =>
          releases.length === 0
            ? 'No release yet: make one with slipway bundle create'
            : releases
                .map(
                  (release) =>
                    `${release.productId}@${release.version}  ${release.stage}  verdict ${release.verdict ?? 'none'}, ${release.packageCount} packages (${release.deltaCount} delta), ${release.benchPassed} bench runs passed, ${release.planCount} plans`,
                )
                .join('\n'),
        );
        return 0;
      }),
    );
}

/** The id of a release given as its id or as PRODUCT@VERSION. @throws ProblemError `release-missing` */
export async function findRelease(studio: Studio, name: string): Promise<string> {
  const releases = await studio.ask('releases.list', {});
  const found = releases.find(
    (release) => release.id === name || `${release.productId}@${release.version}` === name,
  );
  if (found) return found.id;
  throw problem(
    'release-missing',
    'There is no such release',
    `${name} is neither the id of a release nor PRODUCT@VERSION of one.`,
    'See: slipway release list.',
    'usage',
  );
}
