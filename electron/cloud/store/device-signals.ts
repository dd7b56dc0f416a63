import type Database from 'libsql';
import type { DeviceSignals } from '../../../shared/domain/plan-strategy.ts';
import type { CloudDatabase } from './database.ts';

interface SignalsRow {
  readonly battery_percent: number | null;
  readonly rsrp_dbm: number | null;
  readonly auto_confirm: number;
}

const unknown: SignalsRow = { battery_percent: null, rsrp_dbm: null, auto_confirm: 0 };

/** What a device says about itself beside its versions; what it leaves out stays as it was. */
export interface SignalsReport {
  readonly batteryPercent?: number | null | undefined;
  readonly rsrpDbm?: number | null | undefined;
  readonly autoConfirm?: boolean | undefined;
}

/** Battery, signal strength and automatic confirmation of devices. */
export class SignalStore {
  readonly #sql: Record<'one' | 'set', Database.Statement>;

  constructor(db: CloudDatabase) {
    this.#sql = {
      one: db.prepare('SELECT battery_percent, rsrp_dbm, auto_confirm FROM devices WHERE id = ?'),
      set: db.prepare(
        'UPDATE devices SET battery_percent = ?, rsrp_dbm = ?, auto_confirm = ? WHERE id = ?',
      ),
    };
  }

  get(deviceId: string): DeviceSignals & { readonly autoConfirm: boolean } {
    const row = this.#row(deviceId);
    return {
      batteryPercent: row.battery_percent,
      rsrpDbm: row.rsrp_dbm,
      autoConfirm: row.auto_confirm === 1,
    };
  }

  /** Whether the report says anything that is not known yet. */
  isNews(deviceId: string, report: SignalsReport): boolean {
    const before = this.#row(deviceId);
    const after = merged(before, report);
    return (
      before.battery_percent !== after.battery_percent ||
      before.rsrp_dbm !== after.rsrp_dbm ||
      before.auto_confirm !== after.auto_confirm
    );
  }

  /** Call inside a write unit. */
  merge(deviceId: string, report: SignalsReport): void {
    const after = merged(this.#row(deviceId), report);
    this.#sql.set.run(after.battery_percent, after.rsrp_dbm, after.auto_confirm, deviceId);
  }

  #row(deviceId: string): SignalsRow {
    return (this.#sql.one.get(deviceId) as SignalsRow | undefined) ?? unknown;
  }
}

/** Values that no device can have are as if they had not been said. */
function merged(row: SignalsRow, report: SignalsReport): SignalsRow {
  const { batteryPercent, rsrpDbm, autoConfirm } = report;
  return {
    battery_percent: inRange(batteryPercent, 0, 100) ?? row.battery_percent,
    rsrp_dbm: inRange(rsrpDbm, -200, 0) ?? row.rsrp_dbm,
    auto_confirm: autoConfirm === undefined ? row.auto_confirm : Number(autoConfirm),
  };
}

function inRange(value: number | null | undefined, min: number, max: number): number | null {
  if (value === null || value === undefined || !(value >= min && value <= max)) return null;
  return Math.round(value);
}
