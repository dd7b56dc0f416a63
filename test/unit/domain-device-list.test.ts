import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DeviceList,
  faultText,
  listMistakes,
  maxListLines,
  onBothLists,
  parseDeviceList,
  tooManyLinesText,
} from '../../shared/domain/device-list.ts';

const kinds = ({ faults }: DeviceList) => faults.map(({ line, kind }) => `${line} ${kind}`);

describe('a list of devices', () => {
  test('takes one id per line, whatever the line ends, each once', () => {
    const list = parseDeviceList('\uFEFFdev-1\r\n  dev-2 \n\ndev-1\rdev-3');
    expect(list).toMatchObject({ ids: ['dev-1', 'dev-2', 'dev-3'], column: null });
    expect(list.faults.map(faultText)).toEqual(['Line 4: dev-1 is on line 1 already.']);
    expect(listMistakes(list)).toEqual([]);
  });

  test('names each line that is not a device of the product, and why', () => {
    const text = 'dev-1\ndev 2\n490154203237518\n490154203237517\ndev-9\n8.64E+14\n..';
    const list = parseDeviceList(text, new Set(['dev-1', '490154203237518']));
    expect(list.ids).toEqual(['dev-1', '490154203237518']);
    expect(kinds(list)).toEqual([
      '2 malformed',
      '4 checkDigit',
      '5 unknown',
      '6 rounded',
      '7 malformed',
    ]);
    expect(list.faults[1]?.why).toContain('last digit is 7, the check digit is 8');
  });

  test('a device of the product may have 15 digits that are no IMEI', () => {
    expect(parseDeviceList('490154203237517', new Set(['490154203237517'])).faults).toEqual([]);
    expect(kinds(parseDeviceList('490154203237517'))).toEqual(['1 checkDigit']);
    expect(parseDeviceList('490154203237518').ids).toEqual(['490154203237518']);
  });

  test('reads the column with the heading of an id', () => {
    const list = parseDeviceList(
      '\uFEFFsite,"Device Key",note\r\nA,dev-1,"x, ""y""\r\nz"\r\nB,dev-2,\r\nC,,\r\n',
    );
    expect(list).toMatchObject({
      ids: ['dev-1', 'dev-2'],
      column: { number: 2, name: 'Device Key' },
    });
    expect(list.faults.map(faultText)).toEqual(['Line 5: There is no device id.']);
  });

  test('without a heading the column with known devices is read, else the first', () => {
    const text = 'A;dev-1\nB;dev-2';
    expect(parseDeviceList(text, new Set(['dev-1', 'dev-2']))).toMatchObject({
      ids: ['dev-1', 'dev-2'],
      column: { number: 2, name: null },
    });
    expect(parseDeviceList(text)).toMatchObject({ ids: ['A', 'B'], column: { number: 1 } });
    expect(parseDeviceList('imei\ndev-1').ids).toEqual(['dev-1']);
    expect(parseDeviceList('imei\ndev-1', new Set(['imei', 'dev-1'])).ids).toHaveLength(2);
  });

  test('10,000 lines are read in a blink, one more is refused with the number', () => {
    const lines = Array.from({ length: maxListLines }, (_, at) => `"dev-${at}",B${at % 7}`);
    const known = new Set(lines.map((_, at) => `dev-${at}`));
    const startedMs = performance.now();
    expect(parseDeviceList(lines.join('\r\n'), known).ids).toHaveLength(maxListLines);
    expect(performance.now() - startedMs).toBeLessThan(1500);
    const tooMany = parseDeviceList(['id,batch', ...lines, 'dev-x,B'].join('\n'), known);
    expect(tooMany).toMatchObject({ ids: [], tooManyLines: maxListLines + 1 });
    expect(tooManyLinesText(tooMany)).toContain('10001 lines');
  });

  test('whatever the text, each row is either taken or a fault, once and in order', () => {
    const cell = fc.oneof(
      fc.constantFrom('dev-1', 'dev-2', 'id', '', '"', '""', '490154203237518', '__proto__'),
      fc.string({ maxLength: 6 }),
    );
    const separator = fc.constantFrom(',', '\n', '\r\n', ';', '\t', '\r');
    const pieces = fc.array(fc.tuple(cell, separator), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, fc.boolean(), (parts, isKnown) => {
        const known = isKnown ? new Set(['dev-1', 'dev-2']) : null;
        const { ids, faults } = parseDeviceList(parts.flat().join(''), known);
        expect(new Set(ids).size).toBe(ids.length);
        if (known) for (const id of ids) expect(known.has(id)).toBe(true);
        const lines = faults.map(({ line }) => line);
        expect(lines).toEqual(lines.toSorted((one, other) => one - other));
        // What is left when the faulty lines are left out is read the same again.
        const again = parseDeviceList(ids.join('\n'), new Set(ids));
        expect(again).toMatchObject({ ids, faults: [] });
      }),
    );
  });

  test('says who is on both lists', () => {
    expect(onBothLists(parseDeviceList('a\nb\nc'), parseDeviceList('c\nx\na'))).toEqual(['c', 'a']);
  });
});
