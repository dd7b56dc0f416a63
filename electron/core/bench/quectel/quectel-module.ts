import { problem } from '../../../../shared/domain/problem.ts';
import type { BoardIdentity } from '../flasher.ts';
import type { AtChannel } from './at-channel.ts';

const connectAttempts = 5;
/** How long a module that is up takes to answer. */
export const connectMs = 1000;

/** Finds the module on its AT port and asks who it is. @throws ProblemError `no-bootloader` */
export async function connectModule(at: AtChannel, path: string): Promise<BoardIdentity> {
  for (let attempt = 0; attempt < connectAttempts; attempt++) {
    if ((await at.ask('AT', connectMs)) === null) continue;
    await at.ask('ATE0');
    const [maker = '', model = ''] = (await at.ask('ATI')) ?? [];
    const imei = (await at.ask('AT+GSN'))?.find((line) => /^\d{15}$/.test(line));
    return {
      chip: model || 'unknown module',
      isSupported: /quectel/i.test(maker),
      boardId: imei ?? null,
      remark: `runs ${(await moduleVersion(at)) ?? 'a version that it does not tell'}`,
    };
  }
  throw problem(
    'no-bootloader',
    'No module answers',
    `${path}: ${connectAttempts} AT commands had no answer.`,
    "Choose the module's AT port; a module has several ports.",
  );
}

/** The version of the module's own firmware; null when it does not tell. */
export async function moduleVersion(at: AtChannel): Promise<string | null> {
  // Old firmware knows only the second one.
  const lines = (await at.ask('AT+QGMR')) ?? (await at.ask('AT+CGMR'));
  return lines?.find((line) => /\d/.test(line))?.replace(/^\+?[QC]GMR:\s*/, '') ?? null;
}

/** The module refused an upgrade, or broke it off. */
export const upgradeFailed = (reason: string) =>
  problem(
    'upgrade-failed',
    'The module did not take the upgrade',
    `It says: ${reason}.`,
    'Check that the package is made for the version that runs; that one still does.',
    'gate',
  );
