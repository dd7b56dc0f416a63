import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  makeSimulatedDevices,
  simulatedFaults,
} from '../../electron/core/clouds/simulated-identities.ts';
import { deviceSchema } from '../../shared/domain/plan.ts';
import { isChinaTelecom } from '../../shared/domain/scope.ts';

const fleet = (changes: Partial<Parameters<typeof makeSimulatedDevices>[0]> = {}) =>
  makeSimulatedDevices({
    productId: 'SENSOR-1',
    componentId: 'STM32',
    fromVersion: '1.0.0',
    http: 3,
    mqtt: 2,
    batch: 'simulated',
    ...changes,
  });

test('the same fleet has the same devices each time', () => {
  expect(fleet()).toEqual(fleet());
  expect(fleet().map(({ id, transport }) => `${id} ${transport}`)).toEqual([
    'SENSOR-1-SIM-HTTP-00001 http',
    'SENSOR-1-SIM-HTTP-00002 http',
    'SENSOR-1-SIM-HTTP-00003 http',
    'SENSOR-1-SIM-MQTT-00001 mqtt',
    'SENSOR-1-SIM-MQTT-00002 mqtt',
  ]);
  for (const device of fleet()) {
    expect(deviceSchema.parse(device)).toEqual(device);
    expect(device).toMatchObject({ batch: 'simulated', versions: { STM32: '1.0.0' } });
  }
});

test('a larger fleet has the devices of a smaller one, and products never share one', () => {
  const ids = (devices: readonly { id: string }[]) => devices.map(({ id }) => id);
  expect(ids(fleet({ http: 5 }))).toEqual(expect.arrayContaining(ids(fleet())));
  const all = [
    ...ids(fleet({ productId: 'A' })),
    ...ids(fleet({ productId: 'A-SIM' })),
    ...ids(fleet({ productId: 'A-SIM-HTTP-00001' })),
  ];
  expect(new Set(all).size).toBe(all.length);
  const longest = fleet({ productId: 'x'.repeat(64) });
  expect(deviceSchema.safeParse(longest[0]).success).toBe(true);
});

test('every SIM is its own and looks like one', () => {
  const devices = fleet({ http: 10_000, mqtt: 10_000, chinaTelecom: 10 });
  expect(new Set(devices.map(({ imsi }) => imsi)).size).toBe(20_000);
  expect(new Set(devices.map(({ iccid }) => iccid)).size).toBe(20_000);
  for (const { imsi, iccid } of devices) {
    if (!/^\d{15}$/.test(imsi ?? '')) throw new Error(`IMSI ${imsi}`);
    if (!/^89\d{17}$/.test(iccid ?? '')) throw new Error(`ICCID ${iccid}`);
    const sum = [...(iccid ?? '')]
      .reverse()
      .map((digit, place) => Number(digit) * (place % 2 === 0 ? 1 : 2))
      .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
    if (sum % 10 !== 0) throw new Error(`check digit of ICCID ${iccid}`);
  }
});

test.each([0, 1, 3, 5, 9])(
  'exactly the last %i are on China Telecom, by IMSI and by ICCID',
  (n) => {
    const devices = fleet({ chinaTelecom: n });
    const prefixes = ['898603', '898611'];
    for (const [index, device] of devices.entries()) {
      const expected = index >= devices.length - n;
      expect(isChinaTelecom({ ...device, iccid: null }, prefixes) !== null).toBe(expected);
      expect(isChinaTelecom({ ...device, imsi: null }, prefixes) !== null).toBe(expected);
    }
  },
);

test('the shares of faults are exact and spread over the fleet', () => {
  const percent = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), percent, percent, (count, failing, silent) => {
      const faults = simulatedFaults(count, {
        failShare: failing / 100,
        silentShare: silent / 100,
      });
      const of = (fault: string): number => faults.filter((one) => one === fault).length;
      const fails = Math.floor((count * failing) / 100);
      expect(faults).toHaveLength(count);
      expect(of('fail')).toBe(fails);
      expect(of('silent')).toBe(Math.min(count - fails, Math.floor((count * silent) / 100)));
      const firstHalf = faults.slice(0, Math.ceil(count / 2)).filter((one) => one === 'fail');
      expect(Math.abs(firstHalf.length - fails / 2)).toBeLessThanOrEqual(1);
    }),
  );
});
