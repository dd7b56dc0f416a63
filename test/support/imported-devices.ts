import { readFile } from 'node:fs/promises';
import type { Studio } from '../../electron/core/studio.ts';
import type { Device } from '../../shared/domain/plan.ts';
import { reportVersions } from './cloud.ts';

/** Imports devices into the cloud of a studio, and has each report the versions it was declared with. */
export async function importReporting(studio: Studio, devices: readonly Device[]): Promise<void> {
  const { secretsFile } = await studio.ask('devices.import', { devices: [...devices] });
  const { http } = await studio.ask('cloud.start', {});
  await reportImported(http, secretsFile, devices);
}

/** Has imported devices report the versions they were declared with, with the secrets that the import wrote. */
export async function reportImported(
  http: string,
  secretsFile: string | null,
  devices: readonly Pick<Device, 'id' | 'versions'>[],
): Promise<void> {
  const lines = secretsFile === null ? [] : (await readFile(secretsFile, 'utf8')).split('\n');
  const secrets = Object.fromEntries(lines.map((line) => line.split(',')) as [string, string][]);
  for (const device of devices) await reportVersions(http, device, secrets);
}
