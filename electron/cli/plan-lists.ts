import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  faultText,
  listMistakes,
  parseDeviceList,
  shownFaults,
  tooManyLinesText,
} from '../../shared/domain/device-list.ts';
import type { PlanFile } from '../../shared/domain/plan-draft.ts';
import { problem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { printNote } from './output.ts';

/** Options of `plan create` about device lists in files. */
export interface ListOptions {
  readonly whitelistFile?: string;
  readonly blacklistFile?: string;
  /** Take the list without the lines that are no device. */
  readonly leaveOut?: boolean;
}

/**
 * The plan with the devices that its list files name, read against the devices of the product.
 * Paths in the plan file are relative to it, those of options to the current folder.
 * @throws ProblemError `device-list` with the first faulty lines
 */
export async function withListFiles(
  planFile: PlanFile,
  planPath: string,
  options: ListOptions,
  { studio, json }: { readonly studio: Studio; readonly json: boolean },
): Promise<Omit<PlanFile, 'whitelistFile' | 'blacklistFile'>> {
  const { whitelistFile, blacklistFile, ...plan } = planFile;
  const besidePlan = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(dirname(planPath), path);
  const paths = {
    whitelist: options.whitelistFile ?? besidePlan(whitelistFile),
    blacklist: options.blacklistFile ?? besidePlan(blacklistFile),
  };
  if (paths.whitelist === undefined && paths.blacklist === undefined) return plan;
  const known = new Set(await studio.ask('devices.ids', { productId: plan.product }));
  const read = async (path: string | undefined): Promise<readonly string[]> => {
    if (path === undefined) return [];
    const list = parseDeviceList(await readFile(path, 'utf8'), known);
    const refusal = tooManyLinesText(list);
    if (refusal !== null) throw listProblem(path, refusal);
    const lines = list.faults.map(faultText);
    const more = lines.length > shownFaults ? `\n… ${lines.length} in all` : '';
    const text = `${lines.slice(0, shownFaults).join('\n')}${more}`;
    const mistakes = listMistakes(list).length;
    if (mistakes > 0 && !options.leaveOut) throw listProblem(path, `\n${text}`);
    const { column, ids } = list;
    const from = column === null ? '' : `, column ${column.number} ${column.name ?? ''}`.trimEnd();
    printNote(json, `${path}${from}: ${ids.length} devices, ${lines.length} lines left out`);
    if (lines.length > 0) printNote(json, text);
    return ids;
  };
  return {
    ...plan,
    whitelist: [...plan.whitelist, ...(await read(paths.whitelist))],
    blacklist: [...plan.blacklist, ...(await read(paths.blacklist))],
  };
}

const listProblem = (path: string, why: string) =>
  problem(
    'device-list',
    'The device list has lines that are no device of the product',
    `${path}: ${why}`,
    'Correct the named lines, or leave them out with --leave-out.',
    'usage',
  );
