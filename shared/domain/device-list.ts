import { roundedNumber, separatedRows } from '../formats/separated-rows.ts';
import { deviceIdPattern, maxDevicesPerPlan } from './limits.ts';
import { luhnDigit } from './luhn.ts';

/** Why a line of a device list is not taken. A repeated device is no danger, the others are mistakes. */
export type DeviceListFaultKind = 'malformed' | 'rounded' | 'checkDigit' | 'unknown' | 'duplicate';

/** A line of a device list that is not taken; `line` counts from 1. */
export interface DeviceListFault {
  readonly line: number;
  readonly kind: DeviceListFaultKind;
  /** What is there instead of a device, at most 60 characters. */
  readonly text: string;
  readonly why: string;
}

/** A whitelist or blacklist as it was read. */
export interface DeviceList {
  /** Devices that are taken, in the order written, each once. */
  readonly ids: readonly string[];
  /** In the order of their lines. */
  readonly faults: readonly DeviceListFault[];
  /** Which column of a table the ids were taken from, from 1; null for a list of one column. */
  readonly column: { readonly number: number; readonly name: string | null } | null;
  /** How many lines the list has when it has too many to be read; null when it was read. */
  readonly tooManyLines: number | null;
}

/** Lines of a device list that are read; one plan takes no more devices. */
export const maxListLines = maxDevicesPerPlan;
/** Faults of a list that are shown; the exported text has all. */
export const shownFaults = 100;

/** Headings of a column of device ids, the surest first, without spaces, marks and case. */
const idHeadings = [
  'id',
  'deviceid',
  'devicekey',
  'dk',
  'imei',
  'device',
  'endpoint',
  'endpointname',
  'serialnumber',
];
const imeiPattern = /^\d{15}$/;
const sampleRows = 200;

/**
 * Reads device ids from lines of text or a table (RFC 4180 quoting; a byte order mark and all line
 * ends are fine). Of a table the column with a heading such as `id` or `IMEI` is read, else the one
 * with the most `known` devices, else the first. With `known`, other ids are faults, and a device
 * of the product needs no check digit.
 */
export function parseDeviceList(
  text: string,
  known: ReadonlySet<string> | null = null,
): DeviceList {
  const rows = separatedRows(text);
  const first = rows[0]?.cells ?? [];
  const headings = first.map((cell) => cell.toLowerCase().replace(/[\s_-]/g, ''));
  const heading = idHeadings.find((name) => headings.includes(name));
  const hasHead = heading !== undefined && !first.some((cell) => known?.has(cell));
  const body = hasHead ? rows.slice(1) : rows;
  if (body.length > maxListLines)
    return { ids: [], faults: [], column: null, tooManyLines: body.length };
  const isTable = rows.some(({ cells }) => cells.length > 1);
  const place = hasHead ? headings.indexOf(heading) : isTable ? likelyColumn(body, known) : 0;
  const seen = new Map<string, number>();
  const faults: DeviceListFault[] = [];
  for (const { line, cells } of body) {
    const id = cells[place] ?? '';
    const fault = faultOf(id, seen, known);
    if (fault) faults.push({ line, text: id.slice(0, 60), ...fault });
    else seen.set(id, line);
  }
  const name = hasHead ? (first[place] ?? null) : null;
  const column = isTable ? { number: place + 1, name } : null;
  return { ids: [...seen.keys()], faults, column, tooManyLines: null };
}

/** Faults that are mistakes; a repeated device changes nothing. */
export function listMistakes({ faults }: DeviceList): readonly DeviceListFault[] {
  return faults.filter(({ kind }) => kind !== 'duplicate');
}

/** Why a list cannot be read at all, or null. */
export function tooManyLinesText({ tooManyLines }: DeviceList): string | null {
  if (tooManyLines === null) return null;
  return `The list has ${tooManyLines} lines; at most ${maxListLines} are read, since a plan upgrades no more devices. Split it into ${Math.ceil(tooManyLines / maxListLines)} plans.`;
}

/** One line about a fault, for example `Line 7: 86… is no device of this product.` */
export function faultText({ line, why }: DeviceListFault): string {
  return `Line ${line}: ${why}`;
}

/** Devices named on both lists: the blacklist wins for each of them. */
export function onBothLists(whitelist: DeviceList, blacklist: DeviceList): readonly string[] {
  const white = new Set(whitelist.ids);
  return blacklist.ids.filter((id) => white.has(id));
}

function faultOf(
  id: string,
  seen: ReadonlyMap<string, number>,
  known: ReadonlySet<string> | null,
): Pick<DeviceListFault, 'kind' | 'why'> | null {
  if (id === '') return { kind: 'malformed', why: 'There is no device id.' };
  const shown = id.slice(0, 60);
  if (roundedNumber.test(id) && !known?.has(id))
    return {
      kind: 'rounded',
      why: `${shown} was rounded by a spreadsheet: format the column as text and export again.`,
    };
  if (!deviceIdPattern.test(id))
    return { kind: 'malformed', why: `${JSON.stringify(shown)} is not a device id.` };
  const firstLine = seen.get(id);
  if (firstLine !== undefined)
    return { kind: 'duplicate', why: `${shown} is on line ${firstLine} already.` };
  if (known?.has(id)) return null;
  if (imeiPattern.test(id)) {
    const digit = luhnDigit(id.slice(0, -1));
    if (Number(id.at(-1)) !== digit)
      return {
        kind: 'checkDigit',
        why: `${shown} is not an IMEI: its last digit is ${id.at(-1)}, the check digit is ${digit}.`,
      };
  }
  if (known) return { kind: 'unknown', why: `${shown} is no device of this product.` };
  return null;
}

/** The column of a table without headings that holds the most known devices, else the first. */
function likelyColumn(
  rows: readonly { readonly cells: readonly string[] }[],
  known: ReadonlySet<string> | null,
): number {
  const hits = new Map<number, number>();
  for (const { cells } of rows.slice(0, sampleRows))
    for (const [place, cell] of cells.entries())
      if (known?.has(cell)) hits.set(place, (hits.get(place) ?? 0) + 1);
  const [best] = [...hits].toSorted(([, one], [, other]) => other - one);
  return best?.[0] ?? 0;
}
