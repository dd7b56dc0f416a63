import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Verification } from '../../shared/domain/verification.ts';
import type { Studio } from '../core/studio.ts';
import { printNote, printResult } from './output.ts';
import { findRelease } from './releases.ts';
import { withSession } from './session.ts';

const pollMs = 500;

interface VerifyOptions {
  readonly component?: string;
  readonly device?: string;
  readonly wait?: boolean;
}

/** `slipway plan verify RELEASE`: tries a package on one device, or lists what was tried. */
export function planVerifyCommand(plan: Command): void {
  plan
    .command('verify <release>')
    .description(
      'issue a package of a release (its id, or PRODUCT@VERSION) to one device, which has 60 minutes; without --device list what was verified',
    )
    .option('--component <id>', 'component whose package is tried')
    .option('--device <id>', 'device that tries it; it must not be in a plan that is under way')
    .option('--wait', 'wait for the outcome; exit code 1 when it failed')
    .action((release: string, options: VerifyOptions, command: Command) =>
      withSession(command, async ({ studio, json, signal }) => {
        const releaseId = await findRelease(studio, release);
        const { component: componentId, device: deviceId } = options;
        if (componentId === undefined || deviceId === undefined) {
          const all = await studio.ask('verifications.list', { releaseId });
          printResult(json, all, () =>
            all.length === 0 ? 'Nothing was verified yet' : all.map(verificationText).join('\n'),
          );
          return 0;
        }
        const order = { releaseId, componentId, deviceId };
        let found = await studio.ask('verifications.start', order);
        if (options.wait) found = await outcomeOf(studio, found, signal);
        else if ((await studio.ask('cloud.status', {})).startedHere)
          printNote(
            json,
            'The cloud ran for this command only, so nothing is tried until a cloud runs: keep one running with "slipway cloud serve", or verify with --wait.',
          );
        printResult(json, found, () => verificationText(found));
        return found.outcome === 'failed' ? 1 : 0;
      }),
    );
}

async function outcomeOf(
  studio: Studio,
  { id, releaseId }: Verification,
  signal: AbortSignal,
): Promise<Verification> {
  for (;;) {
    const all = await studio.ask('verifications.list', { releaseId });
    const found = all.find((one) => one.id === id);
    if (found && found.outcome !== 'running') return found;
    await sleep(pollMs, undefined, { signal });
  }
}

function verificationText(one: Verification): string {
  const why = one.error === null ? '' : ` (${one.error})`;
  return `${one.startedAt}  ${one.outcome}${why}  ${one.packageName} on ${one.deviceId}, from ${one.fromVersion ?? 'an unknown version'} to ${one.toVersion}`;
}
