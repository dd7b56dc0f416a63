import { deviceIdPattern } from '../../../shared/domain/limits.ts';
import type { Device, Transport } from '../../../shared/domain/plan.ts';
import { roundedNumber, separatedRows } from '../../../shared/formats/separated-rows.ts';

/** Devices read from a table, and the rows that could not be read. */
export interface DeviceTable {
  readonly devices: readonly Device[];
  /** `line` counts from 1 and names where the row begins. */
  readonly errors: readonly { readonly line: number; readonly why: string }[];
}

const columns = ['id', 'transport', 'imsi', 'iccid', 'batch'] as const;
type Column = (typeof columns)[number];
const transports = ['http', 'mqtt', 'lwm2m'] as const satisfies readonly Transport[];

const imsiPattern = /^\d{5,15}$/;
/** ITU-T E.118: 89, then up to 20 more; Chinese cards have letters among them. */
const iccidPattern = /^89[0-9A-Fa-f]{16,20}$/;

/**
 * Reads devices from comma, semicolon or tab separated text (RFC 4180 quoting). The first row may
 * name the columns (id, transport, imsi, iccid, batch) in any order; without it that order holds.
 */
export function parseDeviceCsv(text: string, productId: string): DeviceTable {
  const rows = separatedRows(text);
  const errors: { line: number; why: string }[] = [];
  const devices: Device[] = [];
  const [head] = rows;
  if (!head) return { devices, errors };
  const names = head.cells.map((cell) => cell.toLowerCase());
  const hasHead = names.includes('id');
  const order: readonly string[] = hasHead ? names : columns;
  const seen = new Map<string, number>();
  for (const { line, cells } of rows.slice(hasHead ? 1 : 0)) {
    const cell = (name: Column): string => cells[order.indexOf(name)] ?? '';
    const read = readDevice(cell, productId);
    const firstLine = seen.get(cell('id'));
    if (typeof read === 'string') errors.push({ line, why: read });
    else if (firstLine !== undefined)
      errors.push({ line, why: `${read.id} is on line ${firstLine} already.` });
    else {
      seen.set(read.id, line);
      devices.push(read);
    }
  }
  return { devices, errors };
}

function readDevice(cell: (name: Column) => string, productId: string): Device | string {
  const id = cell('id');
  if (!deviceIdPattern.test(id))
    return id === '' ? 'The id is missing.' : `${id.slice(0, 60)} is not a device id.`;
  const transport = transports.find((one) => one === cell('transport').toLowerCase());
  if (transport === undefined)
    return `The transport of ${id} is "${cell('transport').slice(0, 20)}"; it must be ${transports.join(', ')}.`;
  for (const [name, pattern] of [
    ['imsi', imsiPattern],
    ['iccid', iccidPattern],
  ] as const) {
    const value = cell(name);
    if (value === '' || pattern.test(value)) continue;
    return roundedNumber.test(value)
      ? `The ${name.toUpperCase()} of ${id} was rounded by a spreadsheet (${value}): format the column as text and export again.`
      : `The ${name.toUpperCase()} of ${id} is not one: ${value.slice(0, 30)}.`;
  }
  return {
    id,
    productId,
    transport,
    imsi: cell('imsi') || null,
    iccid: cell('iccid') || null,
    batch: cell('batch') || null,
    versions: {},
    lastSeenAt: null,
  };
}
