import { describe, expect, test } from 'vitest';
import { parseDeviceCsv } from '../../renderer/views/rollout/device-csv.ts';

describe('devices from a table', () => {
  const device = (id: string, changes: object = {}) => ({
    id,
    productId: 'SENSOR-1',
    transport: 'http',
    imsi: null,
    iccid: null,
    batch: null,
    versions: {},
    lastSeenAt: null,
    ...changes,
  });

  test('reads columns in the order of the head', () => {
    const { devices, errors } = parseDeviceCsv(
      'batch,ID,Transport,iccid\r\nB1,dev-1,MQTT,898600MFSSYYGXXXXXXP\r\n,dev-2,http,89860012345678901234\r\n',
      'SENSOR-1',
    );
    expect(devices).toEqual([device('dev-2', { iccid: '89860012345678901234' })]);
    expect(errors).toEqual([
      { line: 2, why: 'The ICCID of dev-1 is not one: 898600MFSSYYGXXXXXXP.' },
    ]);
  });

  test('without a head takes id, transport, imsi, iccid, batch', () => {
    expect(parseDeviceCsv('dev-1,lwm2m,460031234567890,,B7', 'SENSOR-1')).toEqual({
      devices: [device('dev-1', { transport: 'lwm2m', imsi: '460031234567890', batch: 'B7' })],
      errors: [],
    });
  });

  test.each([
    [';', 'semicolons'],
    ['\t', 'tabs'],
  ])('takes %j (%s) as the separator when the first row has it', (separator) => {
    const text = [`id`, `transport`, `batch`].join(separator);
    const row = ['dev-1', 'http', 'B,1'].join(separator);
    expect(parseDeviceCsv(`${text}\n${row}`, 'SENSOR-1').devices).toEqual([
      device('dev-1', { batch: 'B,1' }),
    ]);
  });

  test('reads quoted cells with separators, quotes and line ends in them', () => {
    const { devices, errors } = parseDeviceCsv(
      'id,transport,batch\n"dev-1","http","line, 1 ""A""\nsecond"\ndev-2,http,\ndev-3,carrier pigeon,',
      'SENSOR-1',
    );
    expect(devices).toEqual([device('dev-1', { batch: 'line, 1 "A"\nsecond' }), device('dev-2')]);
    expect(errors).toEqual([
      {
        line: 5,
        why: 'The transport of dev-3 is "carrier pigeon"; it must be http, mqtt, lwm2m.',
      },
    ]);
  });

  test('says that a spreadsheet rounded a card number instead of taking it', () => {
    const { devices, errors } = parseDeviceCsv(
      'id,transport,imsi,iccid\ndev-1,http,,8.98603E+19\ndev-2,http,"4,60031E+14",',
      'SENSOR-1',
    );
    expect(devices).toEqual([]);
    expect(errors.map(({ why }) => why)).toEqual([
      'The ICCID of dev-1 was rounded by a spreadsheet (8.98603E+19): format the column as text and export again.',
      'The IMSI of dev-2 was rounded by a spreadsheet (4,60031E+14): format the column as text and export again.',
    ]);
  });

  test('takes a device once and names the first line', () => {
    const { devices, errors } = parseDeviceCsv('id,transport\na,http\na,mqtt\n,http', 'SENSOR-1');
    expect(devices).toEqual([device('a')]);
    expect(errors).toEqual([
      { line: 3, why: 'a is on line 2 already.' },
      { line: 4, why: 'The id is missing.' },
    ]);
  });

  test('an empty table has no device and no error', () => {
    expect(parseDeviceCsv('', 'SENSOR-1')).toEqual({ devices: [], errors: [] });
    expect(parseDeviceCsv('id,transport\n\n,,\n', 'SENSOR-1')).toEqual({ devices: [], errors: [] });
  });

  test('reads 10,000 devices in a blink', () => {
    const rows = Array.from({ length: 10_000 }, (_, at) => `dev-${at},http,,,B${at % 7}`);
    const startedMs = performance.now();
    expect(parseDeviceCsv(rows.join('\n'), 'SENSOR-1').devices).toHaveLength(10_000);
    expect(performance.now() - startedMs).toBeLessThan(1500);
  });
});
