/** What a simulated device starts with; what is absent it does not have. */
export interface FirstSignals {
  readonly batteryPercent?: number | null | undefined;
  readonly rsrpDbm?: number | null | undefined;
}

/** How fast a battery charges, in percent per second. */
const chargePerSec = 2;
/** When the signal has become better, and how good it is then. */
const betterAfterMs = 20_000;
const betterRsrpDbm = -95;

/** Battery and signal strength of a simulated device: it charges, and the signal gets better after a while. */
export class SimulatedSignals {
  readonly #batteryPercent: number | null;
  readonly #rsrpDbm: number | null;
  /** When it first told of itself. */
  #startMs: number | null = null;

  constructor({ batteryPercent, rsrpDbm }: FirstSignals) {
    this.#batteryPercent = batteryPercent ?? null;
    this.#rsrpDbm = rsrpDbm ?? null;
  }

  /** Whether the device has anything to tell. */
  get hasAny(): boolean {
    return this.#batteryPercent !== null || this.#rsrpDbm !== null;
  }

  /** As it is now: battery in percent and RSRP in dBm. */
  now(nowMs: number = performance.now()): { readonly battery?: number; readonly rsrp?: number } {
    this.#startMs ??= nowMs;
    const elapsedMs = nowMs - this.#startMs;
    const charged = Math.floor((elapsedMs / 1000) * chargePerSec);
    const battery = this.#batteryPercent;
    const rsrp = this.#rsrpDbm;
    return {
      ...(battery === null ? {} : { battery: Math.min(100, battery + charged) }),
      ...(rsrp === null
        ? {}
        : { rsrp: elapsedMs < betterAfterMs ? rsrp : Math.max(rsrp, betterRsrpDbm) }),
    };
  }
}
