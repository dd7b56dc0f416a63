import { createHash } from 'node:crypto';
import type { Device } from '../../../shared/domain/plan.ts';

/** Which simulated devices to make up. */
export interface SimulatedFleet {
  readonly productId: string;
  readonly componentId: string;
  readonly fromVersion: string;
  readonly http: number;
  readonly mqtt: number;
  readonly lwm2m?: number;
  /** The last so many of them have a SIM of China Telecom. */
  readonly chinaTelecom?: number;
  readonly batch: string | null;
}

interface Sim {
  /** Mobile country and network code (ITU-T E.212). */
  readonly network: string;
  /** Issuer identifier: 89, country code, issuer (ITU-T E.118). */
  readonly issuer: string;
}

const chinaTelecomSim: Sim = { network: '46011', issuer: '898611' };
const sims: readonly [Sim, ...Sim[]] = [
  { network: '46000', issuer: '898600' },
  { network: '46001', issuer: '898601' },
  { network: '26201', issuer: '894902' },
  { network: '20801', issuer: '893301' },
];
const imsiDigits = 15;
const iccidDigits = 19;

/** Devices that are the same each time for the same fleet: ids like `SENSOR-1-SIM-HTTP-00001`, a SIM each. */
export function makeSimulatedDevices(fleet: SimulatedFleet): Device[] {
  const transports = (['http', 'mqtt', 'lwm2m'] as const).flatMap((transport, place) =>
    Array.from({ length: fleet[transport] ?? 0 }, (_, index) => ({
      transport,
      place: place + 1,
      number: index + 1,
    })),
  );
  const total = transports.length;
  const firstTelecom = total - (fleet.chinaTelecom ?? 0);
  return transports.map(({ transport, place, number }, index) => {
    const sim = index < firstTelecom ? (sims[index % sims.length] ?? sims[0]) : chinaTelecomSim;
    return {
      id: `${fleet.productId}-SIM-${transport.toUpperCase()}-${String(number).padStart(5, '0')}`,
      productId: fleet.productId,
      transport,
      ...identify(sim, fleet.productId, place, number),
      batch: fleet.batch,
      versions: { [fleet.componentId]: fleet.fromVersion },
      lastSeenAt: null,
    };
  });
}

/** Which shares of a simulated fleet do not behave, 0..1 each. */
export interface FleetFaults {
  readonly failShare: number;
  readonly silentShare: number;
}

/** The fault of each of `count` devices: exactly their shares, rounded down to whole devices, and spread evenly. */
export function simulatedFaults(
  count: number,
  { failShare, silentShare }: FleetFaults,
): ('fail' | 'silent' | undefined)[] {
  const failing = wholePart(count, failShare);
  const sound = count - failing;
  const silent = Math.min(sound, wholePart(count, silentShare));
  let soundSoFar = 0;
  return Array.from({ length: count }, (_, at) => {
    if (isChosen(at, failing, count)) return 'fail';
    return isChosen(soundSoFar++, silent, sound) ? 'silent' : undefined;
  });
}

/** Rounded down, but 0.29 of 100 is 29, whatever their product is in floating point. */
const wholePart = (count: number, share: number): number => Math.floor(count * share + 1e-9);

/** Whether the place `at` is one of `some`, spread evenly over `all`. */
const isChosen = (at: number, some: number, all: number): boolean =>
  Math.floor(((at + 1) * some) / all) > Math.floor((at * some) / all);

/** IMSI and ICCID whose subscriber number is the product's four digits, one for the transport's place and five for the device. */
function identify(
  sim: Sim,
  productId: string,
  place: number,
  number: number,
): { imsi: string; iccid: string } {
  const product = createHash('sha256').update(productId).digest().readUInt32BE() % 10_000;
  const subscriber = `${String(product).padStart(4, '0')}${place}${String(number).padStart(5, '0')}`;
  const account = `${sim.issuer}${subscriber.padStart(iccidDigits - 1 - sim.issuer.length, '0')}`;
  return {
    imsi: `${sim.network}${subscriber.padStart(imsiDigits - sim.network.length, '0')}`,
    iccid: `${account}${luhnDigit(account)}`,
  };
}

/** The check digit that ends an ICCID (ISO/IEC 7812-1, annex B). */
function luhnDigit(digits: string): number {
  let sum = 0;
  for (const [place, digit] of [...digits].reverse().entries()) {
    const doubled = Number(digit) * (place % 2 === 0 ? 2 : 1);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return (10 - (sum % 10)) % 10;
}

/** How many of a fleet begin with little battery or a weak signal. */
export interface WeakDevices {
  readonly lowBattery?: number | undefined;
  readonly weakSignal?: number | undefined;
}

const lowBatteryPercent = 12;
const goodBatteryPercent = 80;
const weakRsrpDbm = -120;
const goodRsrpDbm = -90;

/** What the device at this place of a fleet says of itself at first: nothing unless some are weak. */
export function firstSignals(
  index: number,
  { lowBattery = 0, weakSignal = 0 }: WeakDevices,
): { batteryPercent?: number; rsrpDbm?: number } {
  const isWeak = index >= lowBattery && index < lowBattery + weakSignal;
  return {
    ...(lowBattery > 0
      ? { batteryPercent: index < lowBattery ? lowBatteryPercent : goodBatteryPercent }
      : {}),
    ...(weakSignal > 0 ? { rsrpDbm: isWeak ? weakRsrpDbm : goodRsrpDbm } : {}),
  };
}
