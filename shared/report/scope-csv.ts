import type { ScopeDecision, ScopeGroup } from '../domain/plan.ts';

/** Which devices a device is listed with. */
export function groupOf({ action, reason }: ScopeDecision): ScopeGroup {
  return reason ?? (action as Exclude<typeof action, 'skip'>);
}

/** A table (RFC 4180) of what each device gets, or of one group: `id` is the column that a device list is read from. */
export function scopeCsv(decisions: readonly ScopeDecision[], group?: ScopeGroup): string {
  const rows = decisions
    .filter((decision) => group === undefined || groupOf(decision) === group)
    .map((decision) => [
      decision.deviceId,
      decision.action,
      decision.reason ?? '',
      decision.detail,
    ]);
  return [['id', 'action', 'reason', 'detail'], ...rows]
    .map((cells) => `${cells.map(quoted).join(',')}\r\n`)
    .join('');
}

/** A cell that a spreadsheet would take for a formula is kept a text. */
function quoted(cell: string): string {
  const safe = /^[=+@]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
